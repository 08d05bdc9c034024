//go:build linux

package events

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what came of a run of events that are kept.
type Report struct {
	Seed           uint64
	Published      int
	Receipts       int
	Acknowledged   int // receipts of events that are on the disk
	Duplicates     int
	Doubts         int
	Refusals       int
	ByPlace        map[string]Share
	Kills          int // of the service
	OtherKills     int
	Cuts           int
	SlowestStart   time.Duration
	Took           time.Duration
	Contradictions []Contradiction
	History        *History
}

// Share is what one place had.
type Share struct{ Delivered, Redelivered, Gaps, Lost, Acked, Unheld, Naks, Rejects, Dead int }

func newReport(h *History) *Report {
	r := &Report{ByPlace: map[string]Share{}, History: h}
	for i := range h.Events {
		e := &h.Events[i]
		s := r.ByPlace[Places[e.Place].Name]
		if e.Flags&Over != 0 {
			continue
		}
		switch e.Kind {
		case Publish:
			r.Published++
		case Receipt:
			r.Receipts++
			if Places[e.Place].Stream.persistent() {
				r.Acknowledged++
			}
			if e.Flags&Duplicate != 0 {
				r.Duplicates++
			}
		case Doubt:
			r.Doubts++
		case Refused:
			r.Refusals++
		case Deliver:
			s.Delivered++
			if e.Flags&Redelivered != 0 {
				s.Redelivered++
			}
		case Gap:
			s.Gaps++
			s.Lost += int(e.Count)
		case Settled:
			s.Acked++
		case Unheld:
			s.Unheld++
		case Nak:
			s.Naks++
		case Reject:
			s.Rejects++
		case Dead:
			s.Dead++
		case KillService:
			r.Kills++
		case KillProcess:
			r.OtherKills++
		case Cut:
			r.Cuts++
		}
		if s != (Share{}) {
			r.ByPlace[Places[e.Place].Name] = s
		}
	}
	r.Contradictions = Check(h)
	return r
}

// String is the figures in one line.
func (r *Report) String() string {
	return fmt.Sprintf("kept: seed=%d receipts=%d on-disk=%d duplicates=%d doubts=%d refusals=%d records=%d service-kills=%d other-kills=%d cuts=%d slowest-start-ms=%d seconds=%.0f contradictions=%d",
		r.Seed, r.Receipts, r.Acknowledged, r.Duplicates, r.Doubts, r.Refusals, len(r.History.Events), r.Kills, r.OtherKills, r.Cuts,
		r.SlowestStart.Milliseconds(), r.Took.Seconds(), len(r.Contradictions))
}

// Table is what each place had.
func (r *Report) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %9s %9s %6s %9s %9s %7s %7s %7s %6s\n", "place", "delivered", "again", "gaps", "lost", "settled", "unheld", "naks", "rejects", "dead")
	for _, name := range slices.Sorted(maps.Keys(r.ByPlace)) {
		s := r.ByPlace[name]
		fmt.Fprintf(&b, "%-14s %9d %9d %6d %9d %9d %7d %7d %7d %6d\n", name, s.Delivered, s.Redelivered, s.Gaps, s.Lost, s.Acked, s.Unheld, s.Naks, s.Rejects, s.Dead)
	}
	return b.String()
}

// Explain returns up to max contradictions of each rule, with what the history
// holds of their events.
func (r *Report) Explain(max int) string {
	var b strings.Builder
	shown := map[Rule]int{}
	for _, c := range r.Contradictions {
		if shown[c.Rule]++; shown[c.Rule] <= max {
			fmt.Fprintf(&b, "%s\n%s", c, r.History.Excerpt(c))
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(shown)) {
		fmt.Fprintf(&b, "%s: %d times\n", rule, shown[rule])
	}
	return b.String()
}
