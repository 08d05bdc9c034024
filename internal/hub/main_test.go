package hub

import (
	"context"
	"encoding/binary"
	"testing"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// item is a message as a receiver sees it.
type item struct {
	Channel string
	Epoch   string
	Seq     uint64 // 0 for a gap notice
	Gap     wire.Gap
	Data    string
	ID      string
	Stream  string // if its name is not the event's own
	Tag     string // of the subscription that it is for alone
	State   bool   // it is a snapshot
}

// decode reads one message without its header.
func decode(t tb, message []byte) item {
	t.Helper()
	var m wire.Message
	if err := wire.DefaultLimits.Decode(message, &m); err != nil {
		t.Fatalf("decode %s: %v", message, err)
	}
	if m.Type != wire.TypeEvent || len(m.Timestamp) != len("2006-01-02T15:04:05.000Z") {
		t.Fatalf("not a whole event: %s", message)
	}
	var md wire.Metadata
	if err := wire.DefaultLimits.DecodeMetadata(m.Metadata, &md); err != nil {
		t.Fatalf("decode metadata of %s: %v", message, err)
	}
	it := item{
		Channel: string(m.Channel), Epoch: string(md.Epoch), Seq: md.Seq,
		Data: string(m.Data), ID: string(m.MessageID),
		Stream: string(md.Stream), Tag: string(md.Subscription), State: md.Snapshot,
	}
	if md.Gap != nil {
		it.Gap = *md.Gap
	}
	if md.HasSeq == (md.Gap != nil) && !md.Snapshot {
		t.Fatalf("neither an event nor a gap notice: %s", message)
	}
	return it
}

// decodeAll reads what AppendTo has written.
func decodeAll(t tb, frames []byte) (items []item) {
	t.Helper()
	for len(frames) > 0 {
		if len(frames) < headerSize {
			t.Fatalf("%d bytes left over", len(frames))
		}
		size := int(binary.LittleEndian.Uint32(frames))
		items = append(items, decode(t, frames[headerSize:headerSize+size]))
		frames = frames[headerSize+size:]
	}
	return items
}

// drain takes everything that waits.
func drain(t testing.TB, s *Subscriber) []item {
	t.Helper()
	return decodeAll(t, s.AppendTo(nil, 1<<30))
}

func mustSubscribe(t testing.TB, s *Subscriber, pattern string) (string, Start) {
	t.Helper()
	id, start, err := s.Subscribe(pattern, nil)
	if err != nil {
		t.Fatal(err)
	}
	return id, start
}

func mustPublish(t testing.TB, h *Hub, name, data string) (uint64, int) {
	t.Helper()
	r, err := h.Publish(context.Background(), Publication{Name: name, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return r.Seq, r.Receivers
}

// tb is what *testing.T and *rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}
