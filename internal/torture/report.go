//go:build linux

package torture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// Report is what came of a run.
type Report struct {
	Seed           uint64
	Calls          int
	OK             int
	ByCode         map[wire.Code]int
	ByExecuted     map[wire.Executed]int
	ByMethod       map[string]Share
	Executions     int
	Unfinished     int // calls whose caller was killed
	Kills          int
	Drains         int
	Took           time.Duration
	Contradictions []Contradiction
	History        *History
}

// Share is how many of the calls of one method were made, returned a result,
// and were told each of "no", "maybe" and "yes".
type Share struct{ Calls, OK, No, Maybe, Yes int }

func newReport(h *History) *Report {
	r := &Report{
		ByCode: map[wire.Code]int{}, ByExecuted: map[wire.Executed]int{}, ByMethod: map[string]Share{},
		History: h, Contradictions: Check(h),
	}
	ended := 0
	methods := map[string]string{}
	for _, e := range h.Events {
		m := methods[e.Call]
		share := r.ByMethod[m]
		switch e.Kind {
		case Invoke:
			r.Calls++
			m, methods[e.Call] = e.Method, e.Method
			share = r.ByMethod[m]
			share.Calls++
		case OK:
			r.OK++
			ended++
			share.OK++
		case Fail:
			r.ByCode[e.Code]++
			r.ByExecuted[e.Executed]++
			ended++
			switch e.Executed {
			case wire.ExecutedNo:
				share.No++
			case wire.ExecutedMaybe:
				share.Maybe++
			case wire.ExecutedYes:
				share.Yes++
			}
		case Begin:
			r.Executions++
		}
		if m != "" {
			r.ByMethod[m] = share
		}
	}
	r.Unfinished = r.Calls - ended
	return r
}

// String is the figures in one line.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed=%d calls=%d ok=%d", r.Seed, r.Calls, r.OK)
	for _, code := range slices.Sorted(maps.Keys(r.ByCode)) {
		fmt.Fprintf(&b, " %s=%d", code, r.ByCode[code])
	}
	for _, x := range []wire.Executed{wire.ExecutedNo, wire.ExecutedMaybe, wire.ExecutedYes} {
		fmt.Fprintf(&b, " executed:%s=%d", x, r.ByExecuted[x])
	}
	fmt.Fprintf(&b, " unfinished=%d executions=%d kills=%d drains=%d seconds=%.0f contradictions=%d",
		r.Unfinished, r.Executions, r.Kills, r.Drains, r.Took.Seconds(), len(r.Contradictions))
	return b.String()
}

// Methods is a table of what came of the calls of each method.
func (r *Report) Methods() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %9s %9s %9s %9s %9s\n", "method", "calls", "ok", "no", "maybe", "yes")
	for _, m := range slices.Sorted(maps.Keys(r.ByMethod)) {
		s := r.ByMethod[m]
		fmt.Fprintf(&b, "%-12s %9d %9d %9d %9d %9d\n", m, s.Calls, s.OK, s.No, s.Maybe, s.Yes)
	}
	return b.String()
}

// Explain returns up to max contradictions of each rule and method, with what
// the history holds of their calls.
func (r *Report) Explain(max int) string {
	var b strings.Builder
	methods := map[string]string{}
	for _, e := range r.History.Events {
		if e.Kind == Invoke {
			methods[e.Call] = e.Method
		}
	}
	shown := map[string]int{}
	for _, c := range r.Contradictions {
		kind := string(c.Rule) + " " + methods[c.Call]
		if shown[kind]++; shown[kind] > max {
			continue
		}
		fmt.Fprintf(&b, "%s\n%s", c, r.History.Excerpt(c.Call))
	}
	for _, kind := range slices.Sorted(maps.Keys(shown)) {
		fmt.Fprintf(&b, "%s: %d times\n", kind, shown[kind])
	}
	return b.String()
}
