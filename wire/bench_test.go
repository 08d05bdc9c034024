package wire

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
)

// typicalRequest is a request as our own clients send it, about 350 bytes.
const typicalRequest = `{"type":"request","messageId":"3f2b8a44-90c1-4d2e-8a77-0b1c2d3e4f50",` +
	`"channel":"database-service.getUserById","action":"getUserById",` +
	`"data":[123,{"fields":["id","name","email"],"fresh":true}],` +
	`"timestamp":"2026-11-22T12:00:00.123Z","correlationId":"7d0c5a11-2233-4455-8677-8899aabbccdd",` +
	`"metadata":{"timeoutMs":5000}}`

// echoRequest and echoResponse carry 100 bytes there and back, about 250 in
// all, as services that are asked often see them.
const (
	echoRequest = `{"type":"request","messageId":"3f2b8a44-90c1-4d2e-8a77-0b1c2d3e4f50","channel":"echo.echo","action":"echo",` +
		`"data":[{"id":123,"name":"Ada Lovelace","email":"ada@example.org","tags":["a","b"],"score":-1.5e3,"ok":true}],` +
		`"timestamp":"2026-11-22T12:00:00.123Z"}`
	echoResponse = `{"type":"response","messageId":"8a44b2f3-c190-4e2d-a877-4f503d2e1c0b",` +
		`"data":{"id":123,"name":"Ada Lovelace","email":"ada@example.org","tags":["a","b"],"score":-1.5e3,"ok":true},` +
		`"timestamp":"2026-11-22T12:00:00.124Z","correlationId":"3f2b8a44-90c1-4d2e-8a77-0b1c2d3e4f50"}`
)

// mebibyte is a string of 1 MiB with its quotes, made of a piece that divides
// it or nearly.
func mebibyte(piece string) string { return `"` + strings.Repeat(piece, (1<<20)/len(piece)) + `"` }

func BenchmarkDecode(b *testing.B) {
	for name, frame := range map[string][]byte{
		"Request":     []byte(typicalRequest),
		"EchoRequest": []byte(echoRequest),
		"Response":    []byte(echoResponse),
		"Request1MiB": []byte(`{"type":"request","messageId":"3f2b8a44-90c1-4d2e-8a77-0b1c2d3e4f50","channel":"a.b","data":[` + mebibyte("plain") + `]}`),
		"OtherOrder":  []byte(`{"messageId":"3f2b8a44-90c1-4d2e-8a77-0b1c2d3e4f50","type":"request",` + typicalRequest[strings.Index(typicalRequest, `"channel"`):]),
		"Strings4KB":  []byte(`{"type":"event","channel":"events.a","data":"` + strings.Repeat("plain text ", 372) + `"}`),
		"Members1000": []byte(`{"type":"event","channel":"events.a","data":{` + manyMembers(1000) + `}}`),
		"Escaped":     []byte(`{"type":"event","channel":"events.a","data":["a\nb\u00e9","\ud83d\ude00"],"messageId":"0123456789\t"}`),
	} {
		b.Run(name, func(b *testing.B) {
			var m Message
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if err := DefaultLimits.Decode(frame, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOthers does the work of Decode by other means, as a yardstick that
// a busy machine bends as much as it bends ours.
func BenchmarkOthers(b *testing.B) {
	frame := []byte(typicalRequest)
	type envelope struct {
		Type, MessageID, Channel, Action, Timestamp, CorrelationID string
		Data, Error, Metadata                                      json.RawMessage
	}
	for name, read := range map[string]func() error{
		"JSONv1":       func() error { return json.Unmarshal(frame, new(envelope)) },
		"JSONv1Valid":  func() error { json.Valid(frame); return nil },
		"JSONv2":       func() error { return jsonv2.Unmarshal(frame, new(envelope)) },
		"JSONv2Tokens": func() error { _, err := oracle(frame); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkValid(b *testing.B) {
	for name, raw := range map[string][]byte{
		"100B":        []byte(`{"id":123,"name":"Ada Lovelace","email":"ada@example.org","tags":["a","b"],"score":-1.5e3,"ok":true}`),
		"String100B":  []byte(`["` + strings.Repeat("0123456789", 10) + `"]`),
		"1MiB":        []byte(mebibyte("plain")),
		"1MiBUTF8":    []byte(mebibyte("пишу ")),
		"1MiBHan":     []byte(mebibyte("中文字")),
		"1MiBEscaped": []byte(mebibyte(`a line\n`)),
		"Numbers":     []byte(`[` + strings.Repeat("1234.5,", 1000) + `0]`),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if err := DefaultLimits.Valid(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendString(b *testing.B) {
	for name, text := range map[string]string{
		"36B":      "3f2b8a44-90c1-4d2e-8a77-0b1c2d3e4f50",
		"1MiB":     mebibyte("plain")[1 : 1<<20],
		"1MiBUTF8": mebibyte("пишу "),
	} {
		dst := make([]byte, 0, 2<<20)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				dst = AppendString(dst[:0], text)
			}
		})
	}
}

// BenchmarkAppend encodes a request with a new id and a new timestamp, as a
// call does.
func BenchmarkAppend(b *testing.B) {
	var stamper Stamper
	var id, at [40]byte
	m := Message{
		Type:     TypeRequest,
		Channel:  []byte("database-service.getUserById"),
		Action:   []byte("getUserById"),
		Data:     []byte(`[123,{"fields":["id","name","email"],"fresh":true}]`),
		Metadata: []byte(`{"timeoutMs":5000}`),
	}
	dst := make([]byte, 0, 1024)
	now := int64(1795348800123)
	b.ReportAllocs()
	for b.Loop() {
		m.MessageID = AppendUUID(id[:0], rand.Uint64(), rand.Uint64())
		m.Timestamp = stamper.Append(at[:0], now)
		now++
		dst = m.Append(dst[:0])
	}
}

func BenchmarkDecodeMetadata(b *testing.B) {
	for name, text := range map[string]string{
		"Much":    `{"seq":123456,"epoch":"k3j9x0","timeoutMs":5000,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}`,
		"Timeout": `{"timeoutMs":5000}`,
		"Event":   `{"stream":"orders","epoch":"k3j9x0","seq":123456}`,
	} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(text)
			var md Metadata
			b.ReportAllocs()
			for b.Loop() {
				if err := DefaultLimits.DecodeMetadata(raw, &md); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendUUID(b *testing.B) {
	var id [36]byte
	b.ReportAllocs()
	for b.Loop() {
		AppendUUID(id[:0], rand.Uint64(), rand.Uint64())
	}
}

func BenchmarkStamper(b *testing.B) {
	var s Stamper
	var at [24]byte
	now := int64(1795348800123)
	b.ReportAllocs()
	for b.Loop() {
		s.Append(at[:0], now)
		now++
	}
}

func BenchmarkPatternMatch(b *testing.B) {
	p, err := ParsePattern("order.*.line.**")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Match("order.42.line.added.twice")
	}
}
