package torture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ekkojs/ipc/wire"
)

// Kind says what an Event tells of.
type Kind string

// The kinds. The first three are of the side that calls, the others of the
// side that is called.
const (
	Invoke Kind = "invoke" // a call is about to be made
	OK     Kind = "ok"     // it returned a result
	Fail   Kind = "fail"   // it returned an error

	Begin   Kind = "begin"   // a handler was entered
	Refused Kind = "refused" // it is about to return an error that it made itself, having done nothing
	End     Kind = "end"     // it is about to return

	Item Kind = "item" // an item of a stream was received, on either side
)

// Event is one record of a journal.
type Event struct {
	Kind Kind   `json:"k"`
	Call string `json:"c"` // the name of the call, which no other call has
	At   int64  `json:"t"` // nanoseconds of the monotonic clock

	// Process is the journal's; it is not written.
	Process string `json:"-"`

	// Of an invoke.
	Method string `json:"m,omitempty"`
	Retry  bool   `json:"retry,omitempty"` // the caller lets it be executed more than once
	OneWay bool   `json:"way,omitempty"`   // it has no answer: its result is that it was sent

	// N is the place of an item, from 0; of an end and of a result it is how
	// many items there were.
	N int `json:"n,omitempty"`

	// Of an outcome. Of is the call that the answer itself names, in the
	// result or in the message of the error; "" if it names none.
	Of       string        `json:"of,omitempty"`
	Code     wire.Code     `json:"code,omitempty"` // also of a refusal
	Executed wire.Executed `json:"x,omitempty"`
	Note     string        `json:"note,omitempty"` // for people
}

// String is the event as a line of an excerpt, without its time.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %-7s %s", e.Process, e.Kind, e.Call)
	for _, s := range []string{e.Method, string(e.Code), string(e.Executed), e.Note} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if e.Of != "" && e.Of != e.Call {
		b.WriteString(" of " + e.Of)
	}
	return b.String()
}

// History is all that was written down in one run.
type History struct {
	Events []Event // in the order of time, as far as one clock tells

	// Killed are the processes that ended in the middle of what they did.
	// What they left unfinished is no contradiction.
	Killed map[string]bool
}

// Sort brings the events into the order of time.
func (h *History) Sort() {
	slices.SortStableFunc(h.Events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
}

// Excerpt returns what the history holds of one call, a line each, with the
// milliseconds since the first of them.
func (h *History) Excerpt(call string) string {
	var b strings.Builder
	first := int64(-1)
	for _, e := range h.Events {
		if e.Call != call {
			continue
		}
		if first < 0 {
			first = e.At
		}
		fmt.Fprintf(&b, "  %10.3f ms  %s", float64(e.At-first)/1e6, e)
		if h.Killed[e.Process] {
			b.WriteString(" (killed later)")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
