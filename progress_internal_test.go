package ipc

import (
	"context"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// TestALossIsToldOnce has a subscription lose its connection again before
// anything has come by the new one: what was missed meanwhile is one gap, and
// counted once.
func TestALossIsToldOnce(t *testing.T) {
	sub, err := newSubscription("tick", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(seq uint64) map[string]Cursor { return map[string]Cursor{"tick": {Epoch: "e", Seq: seq}} }
	come := func(connection, seq uint64) {
		k := &eventKind{channel: "events.tick", name: "tick", stream: "tick", epoch: "e"}
		sub.offer(&arrival{kind: k, message: &wire.Message{}, meta: &wire.Metadata{Seq: seq, HasSeq: true}, connection: connection})
	}
	sub.entered("s1", 1, sub.enter("", 1), at(1))
	come(1, 1)
	for i, begin := range []uint64{10, 30, 60} {
		connection := uint64(i + 2)
		sub.left()
		sub.entered("s1", connection, sub.enter("", connection), at(begin))
	}
	come(4, 60)
	for _, want := range []struct {
		seq uint64
		gap *Gap
	}{{1, nil}, {60, &Gap{From: 2, To: 59, Count: 58, Reason: GapLost}}} {
		e, err := sub.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq != want.seq || (e.Gap == nil) != (want.gap == nil) || e.Gap != nil && *e.Gap != *want.gap {
			t.Errorf("event %d after %+v, want %d after %+v", e.Seq, e.Gap, want.seq, want.gap)
		}
	}
}
