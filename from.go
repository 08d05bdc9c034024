package ipc

import (
	"time"
)

// From says where a subscription begins. The zero From is the next event.
type From struct {
	word   string
	cursor *Cursor
	time   time.Time
}

// FromFirst begins with the oldest event that the channel keeps.
func FromFirst() From { return From{word: "first"} }

// FromLast begins with the newest event that the channel keeps, so that the
// subscriber knows how things stand.
func FromLast() From { return From{word: "last"} }

// FromSeq begins with that event. When it is not kept any more, or the
// counting has begun anew, Subscribe fails with CURSOR_INVALID.
func FromSeq(epoch string, seq uint64) From { return From{cursor: &Cursor{Epoch: epoch, Seq: seq}} }

// FromTime begins with the first event published at t or later.
func FromTime(t time.Time) From {
	if t.IsZero() {
		return FromFirst() // and not as if nothing had been said
	}
	return From{time: t}
}

// FromSnapshot begins with the state of the channel, as an event of its own
// (Event.Snapshot), and goes on with what changes it. The service must have a
// snapshot of the channel; see Service.HandleSnapshot.
func FromSnapshot() From { return From{word: fromSnapshot} }

// wish returns it as it stands in a subscribe message.
func (f From) wish() any {
	switch {
	case f.word != "":
		return f.word
	case f.cursor != nil:
		return cursorText(*f.cursor)
	case !f.time.IsZero():
		return map[string]any{"time": f.time.UTC().Format(time.RFC3339Nano)}
	}
	return nil
}
