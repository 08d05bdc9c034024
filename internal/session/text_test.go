package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

func textOf(json []byte) *Text {
	t := NewText(len(json))
	t.Set(func(dst []byte) ([]byte, error) { return append(dst, json...), nil })
	return t
}

// TestAFrameAroundATextIsTheMessage holds what is made in place to what is
// made by copying.
func TestAFrameAroundATextIsTheMessage(t *testing.T) {
	name := []byte(strings.Repeat("n", 255))
	for _, m := range []wire.Message{
		{Type: wire.TypeEvent},
		{Type: wire.TypeRequest, MessageID: []byte("an id with \" in it"), Channel: name, Action: name, Timestamp: []byte("now"), Metadata: []byte(`{"timeoutMs":5}`)},
		{Type: wire.TypeResponse, MessageID: []byte("m"), CorrelationID: []byte("c")},
		{Type: wire.TypeEvent, Channel: streamChannel, CorrelationID: []byte("c")},
	} {
		for _, json := range []string{`""`, `[1]`, `"` + strings.Repeat("x", 3*LongText) + `"`} {
			text := textOf([]byte(json))
			frame, ok := text.frame(&m, transport.MaxMaxFrame)
			m.Data = []byte(json)
			want := m.Append(nil)
			if !ok || int(binary.LittleEndian.Uint32(frame)) != len(want) || !bytes.Equal(frame[frameHeader:], want) {
				t.Errorf("got %t %.300s\nwant %.300s", ok, frame, want)
			}
			if string(text.JSON()) != json {
				t.Errorf("the text itself is %.300s now", text.JSON())
			}
			if _, ok := text.frame(&m, len(want)-1); ok {
				t.Error("a frame above the limit")
			}
			text.Release()
		}
	}
	text := textOf([]byte(`1`))
	defer text.Release()
	if _, ok := text.frame(&wire.Message{Channel: bytes.Repeat(name, 4)}, transport.MaxMaxFrame); ok {
		t.Error("a head that does not fit was made")
	}
}

func TestLongTextsArriveInOrderWithShortOnes(t *testing.T) {
	c, _ := memPair(t, handler{request: func(in *Inbound) {
		text := textOf(in.Data)
		in.ReplyText(text)
		text.Release()
	}})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				json := `["` + strings.Repeat(string(rune('a'+i)), (i*j%7)*LongText/2) + `"]`
				text := textOf([]byte(json))
				req := request("")
				req.Data, req.Text = nil, text
				data, err := c.Call(t.Context(), req)
				if string(text.JSON()) != json {
					t.Errorf("the text changed: %.100s", text.JSON())
				}
				text.Release()
				if err != nil || string(data) != json {
					t.Errorf("sent %.100s, got %.100s, %v", json, data, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestATextMayBeSentAgain(t *testing.T) {
	json := []byte(`["` + strings.Repeat("x", 2*LongText) + `"]`)
	text := textOf(json)
	defer text.Release()
	send := func(conn, peer transport.Conn, answer func(*Inbound)) ([]byte, error) {
		c, _ := pair(t, handler{request: answer}, conn, peer, Options{})
		req := request("")
		req.Data, req.Text = nil, text
		return c.Call(t.Context(), req)
	}
	a, b := transport.Pair(nil)
	if _, err := send(halfWay{a}, b, func(*Inbound) {}); wire.CodeOf(err) != wire.CodeConnectionLost {
		t.Fatalf("got %v", err)
	}
	a, b = transport.Pair(nil)
	if data, err := send(a, b, echo); err != nil || !bytes.Equal(data, json) {
		t.Errorf("got %.100s, %v", data, err)
	}
}

func TestATextThatIsTooLongIsRefused(t *testing.T) {
	c, _ := memPair(t, handler{request: echo})
	text := textOf([]byte(`["` + strings.Repeat("x", transport.DefaultMaxFrame) + `"]`))
	defer text.Release()
	req := request("")
	req.Data, req.Text = nil, text
	_, err := c.Call(t.Context(), req)
	if e, _ := errors.AsType[*wire.Error](err); e == nil || e.Code != wire.CodeMessageTooLarge || e.Details.Executed != wire.ExecutedNo {
		t.Errorf("got %v", err)
	}
	if text.refs.Load() != 1 {
		t.Errorf("%d hold the text", text.refs.Load())
	}
}
