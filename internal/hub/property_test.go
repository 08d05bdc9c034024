package hub

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/wire"
)

// listener is a subscriber with what it must and what it did receive.
type listener struct {
	s        *Subscriber
	patterns map[string]wire.Pattern // by subscription id
	due      map[string][]uint64     // by channel: published while subscribed
	got      map[string][]uint64     // delivered or announced as lost
	told     uint64                  // events announced as lost
	taken    uint64                  // events delivered
}

func (l *listener) wants(name string) bool {
	for _, p := range l.patterns {
		if p.Match(name) {
			return true
		}
	}
	return false
}

// take checks one message against what was received before it.
func (l *listener) take(t tb, it item) {
	if it.Seq != 0 {
		l.got[it.Channel] = append(l.got[it.Channel], it.Seq)
		l.taken++
		return
	}
	if it.Gap.To < it.Gap.From || it.Gap.Reason != GapSlowConsumer {
		t.Fatalf("gap %+v", it.Gap)
	}
	for seq := it.Gap.From; seq <= it.Gap.To; seq++ {
		l.got[it.Channel] = append(l.got[it.Channel], seq)
		l.told++
	}
}

// TestEveryEventIsDeliveredOrAnnounced lets a hub and a model of it run side
// by side: each event that was published while a subscriber wanted it is
// delivered or inside a gap notice, exactly once and in order, and nothing
// else is.
func TestEveryEventIsDeliveredOrAnnounced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "a.x", "a.y", "a.x.z"}
		patterns := []string{"a", "b", "a.x", "*", "**", "a.*", "a.**", "*.x", "a.*.z", "*.*"}
		h := New(nil)
		seq := map[string]uint64{}
		var listeners []*listener
		for range rapid.IntRange(1, 3).Draw(t, "listeners") {
			listeners = append(listeners, &listener{
				s: h.AttachWith(nil, &SubscriberOptions{
					QueueMessages: rapid.IntRange(1, 6).Draw(t, "messages"),
					QueueBytes:    rapid.SampledFrom([]int{150, 600, 0}).Draw(t, "bytes"),
				}),
				patterns: map[string]wire.Pattern{},
				due:      map[string][]uint64{},
				got:      map[string][]uint64{},
			})
		}
		one := rapid.SampledFrom(listeners)
		t.Repeat(map[string]func(*rapid.T){
			"subscribe": func(t *rapid.T) {
				l, pattern := one.Draw(t, "who"), rapid.SampledFrom(patterns).Draw(t, "pattern")
				id, start, err := l.s.Subscribe(pattern, nil)
				if err != nil {
					t.Fatal(err)
				}
				p, _ := wire.ParsePattern(pattern)
				l.patterns[id] = p
				checkStart(t, p, start, seq)
			},
			"unsubscribe": func(t *rapid.T) {
				l := one.Draw(t, "who")
				for id := range l.patterns { // any of them
					if !l.s.Unsubscribe(id) {
						t.Fatal("no such subscription")
					}
					delete(l.patterns, id)
					break
				}
			},
			"publish": func(t *rapid.T) {
				name := rapid.SampledFrom(names).Draw(t, "name")
				seq[name]++
				r, err := h.Publish(context.Background(), Publication{Name: name, Data: fmt.Appendf(nil, `"%0*d"`, rapid.IntRange(0, 40).Draw(t, "size"), 0)})
				if err != nil || r.Seq != seq[name] {
					t.Fatalf("sequence %d, %v", r.Seq, err)
				}
				got := r.Seq
				for _, l := range listeners {
					if l.wants(name) {
						l.due["events."+name] = append(l.due["events."+name], got)
					}
				}
			},
			"append": func(t *rapid.T) {
				l := one.Draw(t, "who")
				for _, it := range decodeAll(t, l.s.AppendTo(nil, rapid.IntRange(0, 1500).Draw(t, "max"))) {
					l.take(t, it)
				}
			},
			"next": func(t *rapid.T) {
				l := one.Draw(t, "who")
				if message, ok := l.s.Next(); ok {
					l.take(t, decode(t, message))
				}
			},
			"": func(t *rapid.T) {
				for _, l := range listeners {
					l.check(t)
				}
			},
		})
		for _, l := range listeners {
			for _, it := range decodeAll(t, l.s.AppendTo(nil, 1<<30)) {
				l.take(t, it)
			}
			l.checkAll(t)
		}
	})
}

func checkStart(t tb, p wire.Pattern, start Start, seq map[string]uint64) {
	if p.IsLiteral() {
		if start.Seq != seq[p.String()]+1 || start.Channels != nil {
			t.Fatalf("start %+v of %v at %d", start, p, seq[p.String()])
		}
		return
	}
	for name, last := range seq {
		if at, known := start.Channels[name]; known != p.Match(name) || known && at.Seq != last+1 {
			t.Fatalf("start %+v of %v, %s at %d", start, p, name, last)
		}
	}
}

// check holds at any moment.
func (l *listener) check(t tb) {
	st := l.s.Stats()
	due := uint64(0)
	for _, seqs := range l.due {
		due += uint64(len(seqs))
	}
	if st.Offered != due || st.Offered != st.Delivered+st.Dropped+uint64(st.Queued) {
		t.Fatalf("%d published while subscribed: %+v", due, st)
	}
	if st.Delivered != l.taken || st.Dropped < l.told || st.Subscriptions != len(l.patterns) {
		t.Fatalf("%d delivered and %d told of: %+v", l.taken, l.told, st)
	}
}

// checkAll holds once nothing waits.
func (l *listener) checkAll(t tb) {
	l.check(t)
	if st := l.s.Stats(); st.Queued != 0 || st.Dropped != l.told {
		t.Fatalf("%d announced as lost: %+v", l.told, st)
	}
	for channel, due := range l.due {
		if got := l.got[channel]; fmt.Sprint(got) != fmt.Sprint(due) {
			t.Fatalf("%s: due %v, got %v", channel, due, got)
		}
	}
	for channel := range l.got {
		if l.due[channel] == nil {
			t.Fatalf("%s: nothing was due", channel)
		}
	}
}
