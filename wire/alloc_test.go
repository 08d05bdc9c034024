package wire

import (
	"math/rand/v2"
	"testing"
)

// TestAllocations: what a call costs on its way is paid without the garbage
// collector.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random under the race detector")
	}
	var m Message
	var md Metadata
	var stamper Stamper
	var id, at [40]byte
	dst := make([]byte, 0, 1024)
	frame, large := []byte(typicalRequest), []byte(`{"type":"event","data":{`+manyMembers(1000)+`}}`)
	meta := []byte(`{"seq":123456,"epoch":"k3j9x0","timeoutMs":5000}`)
	event := []byte(`{"subscription":"s-1","stream":"orders","epoch":"k3j9x0","seq":123456,"redelivered":true,"deliveries":2,"snapshot":true}`)
	pattern, err := ParsePattern("user.*.**")
	if err != nil {
		t.Fatal(err)
	}
	name, channel := "user.created.twice", []byte("events.user.created")
	now := int64(1795348800123)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	full := Metadata{Confirm: true, Stream: channel, Epoch: channel, HasSeq: true, Gap: &Gap{From: 1, To: 9, Reason: "slow-consumer", Count: 3}, Deliveries: 2, Snapshot: true}
	for what, do := range map[string]func(){
		"decode":          func() { must(DefaultLimits.Decode(frame, &m)) },
		"decode large":    func() { must(DefaultLimits.Decode(large, &m)) },
		"valid":           func() { must(DefaultLimits.Valid(frame)) },
		"decode metadata": func() { must(DefaultLimits.DecodeMetadata(meta, &md)) },
		"decode event's":  func() { must(DefaultLimits.DecodeMetadata(event, &md)) },
		"encode metadata": func() { dst = md.Append(dst[:0]) },
		"encode event's":  func() { dst = full.Append(dst[:0]) },
		"encode": func() {
			now++
			m = Message{
				Type:      TypeRequest,
				MessageID: AppendUUID(id[:0], rand.Uint64(), rand.Uint64()),
				Channel:   channel,
				Data:      meta,
				Timestamp: stamper.Append(at[:0], now),
			}
			dst = m.Append(dst[:0])
		},
		"string":        func() { dst = AppendString(dst[:0], name) },
		"check name":    func() { must(CheckName(name)) },
		"check channel": func() { must(CheckChannel(name)) },
		"split channel": func() { SplitChannel(channel) },
		"event name":    func() { EventName(channel) },
		"match":         func() { pattern.Match(name) },
		"batch":         func() { IsBatch(frame) },
	} {
		if n := testing.AllocsPerRun(200, do); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}
