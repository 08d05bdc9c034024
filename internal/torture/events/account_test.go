//go:build linux

package events

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/ekkojs/ipc"
)

// heard is what a reader of ticks gets: of two publishers in turns, of whom the
// first has the odd places, from one place to another.
func heard(from, to uint64) (events []*ipc.Event) {
	for seq := from; seq <= to; seq++ {
		publisher, n := plainPublisher(int(seq-1)%spoutCount, 0), uint32(seq-1)/spoutCount+1
		events = append(events, &ipc.Event{Stream: "tick", Epoch: "e", Seq: seq, Data: payload(publisher, n, int(n%40))})
	}
	return events
}

// lose takes events out and says so in the way of the service.
func lose(events []*ipc.Event, from, to uint64) []*ipc.Event {
	at(events, to+1).Gap = &ipc.Gap{From: from, To: to, Count: to - from + 1, Reason: ipc.GapSlowConsumer}
	return slices.DeleteFunc(events, func(e *ipc.Event) bool { return e.Seq >= from && e.Seq <= to })
}

// at returns the event of that place.
func at(events []*ipc.Event, seq uint64) *ipc.Event {
	return events[slices.IndexFunc(events, func(e *ipc.Event) bool { return e.Seq == seq })]
}

// TestAccounts plants one fault after another in what a reader of plain events
// gets.
func TestAccounts(t *testing.T) {
	for _, x := range []struct {
		name   string
		rules  []Rule
		mutate func([]*ipc.Event) []*ipc.Event
	}{
		{"nothing", nil, func(e []*ipc.Event) []*ipc.Event { return e }},
		{"another gap that is said", nil, func(e []*ipc.Event) []*ipc.Event { return lose(e, 30, 33) }},
		{"one that is not", []Rule{Accounted, Covered}, func(e []*ipc.Event) []*ipc.Event { e = lose(e, 30, 33); at(e, 34).Gap = nil; return e }},
		{"one that counts one too few", []Rule{Accounted, Covered}, func(e []*ipc.Event) []*ipc.Event { at(e, 14).Gap.Count--; return e }},
		{"one of nothing", []Rule{Accounted, Covered}, func(e []*ipc.Event) []*ipc.Event {
			at(e, 20).Gap = &ipc.Gap{From: 19, To: 19, Count: 1, Reason: ipc.GapSlowConsumer}
			return e
		}},
		{"an event twice", []Rule{Covered, InOrder, NoDuplicate}, func(e []*ipc.Event) []*ipc.Event { return slices.Insert(e, 30, at(e, 5)) }},
		{"another place", []Rule{Covered, NoDuplicate}, func(e []*ipc.Event) []*ipc.Event { at(e, 40).Seq = 39; return e }},
		{"other bytes", []Rule{Accounted, Covered, NotInvented}, func(e []*ipc.Event) []*ipc.Event {
			at(e, 20).Data = ipc.Raw(`{"p":1,"n":10,"k":0,"pad":"x"}`)
			return e
		}},
		{"another stream", []Rule{Accounted, Covered, Filtered}, func(e []*ipc.Event) []*ipc.Event { at(e, 20).Stream = "feed"; return e }},
		{"another epoch", []Rule{Covered}, func(e []*ipc.Event) []*ipc.Event {
			for _, one := range e[20:] {
				one.Epoch = "f"
			}
			return e
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			var bad bytes.Buffer
			a := newAccounts(plainConfig{Name: "reader", Quotas: []uint32{20, 0}}, "tick", &bad)
			for _, e := range x.mutate(lose(heard(1, 50), 10, 13)) {
				a.take(e)
			}
			if !a.over() {
				t.Error("it has not seen the end of all publishers")
			}
			a.settle()
			var got []Rule
			for d := json.NewDecoder(&bad); d.More(); {
				var c Contradiction
				if err := d.Decode(&c); err != nil {
					t.Fatal(err)
				}
				got = append(got, c.Rule)
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, x.rules) {
				t.Errorf("breaks %q, found %q", x.rules, got)
			}
		})
	}
}
