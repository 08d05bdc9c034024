package events

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Kind says what an Event tells of.
type Kind uint8

// The kinds.
const (
	Publish Kind = iota + 1 // an event is about to be published
	Receipt                 // it has a place
	Refused                 // it was not published, for certain
	Doubt                   // nobody knows

	Deliver // an event has come to a reader
	Gap     // and before it so many were lost
	Ack     // it is about to be acknowledged
	Nak     // or given back
	Reject  // or refused for ever
	Settled // the last of these was agreed to
	Unheld  // it was not: the reader does not hold the event
	Adrift  // nobody knows
	Leave   // a reader is about to leave its group

	Stored // an event that the service has in the end
	Dead   // a dead letter that it has

	KillService // the service is about to be killed; with the flag Over, it is dead
	KillProcess // likewise a reader or a publisher
	Cut         // likewise its connections are cut
)

var kinds = []string{"", "publish", "receipt", "refused", "doubt", "deliver", "gap", "ack", "nak", "reject", "settled", "unheld", "adrift", "leave",
	"stored", "dead", "kill-service", "kill", "cut"}

func (k Kind) String() string { return kinds[k] }

// Event is one record of a history. What does not apply is zero.
type Event struct {
	Kind  Kind
	Place uint8 // who reads, by Places; of the side that publishes, the stream
	Flags uint8

	Deliveries uint16
	Actor      uint32 // process<<16 | one of its subscriptions
	Publisher  uint32
	Counter    uint32 // of the publisher's events, from 1

	At    int64  // nanoseconds of the monotonic clock
	Epoch uint64 // hashed
	Seq   uint64 // of a gap the first that is lost
	To    uint64 // of a gap the last that is lost
	Count uint64 // of a gap how many are lost; of a Nak the delay in nanoseconds
	Hash  uint64 // of the payload
}

// The flags.
const (
	Redelivered uint8 = 1 << iota
	Duplicate         // the receipt says that there was one already
	Restarted         // the gap is that of a new epoch
	Over              // what was about to happen has happened
)

// eventSize is the length of a record.
const eventSize = 68

func (e *Event) append(b []byte) []byte {
	le := binary.LittleEndian
	b = append(b, byte(e.Kind), e.Place, e.Flags, 0)
	b = le.AppendUint32(b, uint32(e.Deliveries))
	b = le.AppendUint32(b, e.Actor)
	b = le.AppendUint32(b, e.Publisher)
	b = le.AppendUint32(b, e.Counter)
	for _, v := range []uint64{uint64(e.At), e.Epoch, e.Seq, e.To, e.Count, e.Hash} {
		b = le.AppendUint64(b, v)
	}
	return b
}

func (e *Event) read(b []byte) {
	le := binary.LittleEndian
	e.Kind, e.Place, e.Flags = Kind(b[0]), b[1], b[2]
	e.Deliveries = uint16(le.Uint32(b[4:]))
	e.Actor, e.Publisher, e.Counter = le.Uint32(b[8:]), le.Uint32(b[12:]), le.Uint32(b[16:])
	e.At = int64(le.Uint64(b[20:]))
	e.Epoch, e.Seq, e.To, e.Count, e.Hash = le.Uint64(b[28:]), le.Uint64(b[36:]), le.Uint64(b[44:]), le.Uint64(b[52:]), le.Uint64(b[60:])
}

func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %-13s", e.Kind, Places[e.Place].Name)
	if e.Actor != 0 {
		fmt.Fprintf(&b, " by %d.%d", e.Actor>>16, e.Actor&0xffff)
	}
	if e.Publisher != 0 {
		fmt.Fprintf(&b, " event %d/%d", e.Publisher, e.Counter)
	}
	if e.Seq != 0 {
		fmt.Fprintf(&b, " seq %d epoch %04x", e.Seq, e.Epoch&0xffff)
	}
	if e.Kind == Gap {
		fmt.Fprintf(&b, "…%d, %d lost", e.To, e.Count)
	}
	if e.Deliveries > 0 {
		fmt.Fprintf(&b, " delivery %d", e.Deliveries)
	}
	for flag, name := range map[uint8]string{Redelivered: "redelivered", Duplicate: "duplicate", Restarted: "restarted", Over: "over"} {
		if e.Flags&flag != 0 {
			b.WriteString(" " + name)
		}
	}
	return b.String()
}

// History is all that was written down in one run.
type History struct {
	Events []Event // in the order of time, as far as one clock tells
}

// Sort brings the events into the order of time.
func (h *History) Sort() {
	slices.SortStableFunc(h.Events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
}

// Excerpt returns what the history holds of one event, at most a few dozen
// lines of it, with the kills in between.
func (h *History) Excerpt(c Contradiction) string {
	var b strings.Builder
	first, lines := int64(-1), 0
	for i := range h.Events {
		e := &h.Events[i]
		about := c.Publisher != 0 && e.Publisher == c.Publisher && e.Counter == c.Counter ||
			c.Seq != 0 && e.Seq == c.Seq && e.Kind >= Deliver && e.Kind <= Dead && Places[e.Place].Stream == c.Stream
		if !about && !(first >= 0 && e.Kind >= KillService && e.Flags&Over == 0) {
			continue
		}
		if about && (e.Kind == Doubt || e.Kind == Refused || e.Kind == Publish && lines > 0) {
			continue // it tries until it has a receipt
		}
		if lines++; lines > 40 {
			b.WriteString("  …\n")
			break
		}
		if first < 0 {
			first = e.At
		}
		fmt.Fprintf(&b, "  %10.3f ms  %s\n", float64(e.At-first)/1e6, e)
	}
	return b.String()
}
