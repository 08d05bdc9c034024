package hub

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/store"
)

func TestABudgetIsSharedAndGivenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := New(&Options{Streams: []StreamOptions{{Name: "kept", Log: memoryLog(t, store.Limits{})}}})
		defer h.Close()
		all := NewBudget(int64(rapid.IntRange(100, 5000).Draw(t, "all")), nil)
		var budgets []*Budget
		var outlets []*Outlet
		for range 3 {
			b := NewBudget(int64(rapid.IntRange(100, 3000).Draw(t, "user")), all)
			budgets = append(budgets, b)
			o, _ := newOutlet(h, &OutletOptions{Budget: b, QueueMessages: 20})
			outlets = append(outlets, o)
			mustEnter(t, o, "**", Separate{})
			if _, _, err := o.Subscribe("a", PolicyDisconnect, Separate{ID: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		one := rapid.SampledFrom(outlets)
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				name := rapid.SampledFrom([]string{"a", "b", "kept"}).Draw(t, "name")
				data := make([]byte, rapid.IntRange(2, 800).Draw(t, "size"))
				for i := range data {
					data[i] = '1'
				}
				if _, err := h.Publish(context.Background(), Publication{Name: name, Data: data}); err != nil {
					t.Fatal(err)
				}
			},
			"append": func(t *rapid.T) { one.Draw(t, "who").AppendTo(nil, rapid.IntRange(0, 3000).Draw(t, "max")) },
			"next":   func(t *rapid.T) { one.Draw(t, "who").Next() },
			"unsubscribe": func(t *rapid.T) {
				one.Draw(t, "who").Unsubscribe("x")
			},
			"subscribe": func(t *rapid.T) { one.Draw(t, "who").Subscribe("a", PolicyDropOldest, Separate{ID: "x"}) },
			"": func(t *rapid.T) {
				sum := int64(0)
				for _, b := range budgets {
					if b.Used() < 0 || b.Used() > b.limit {
						t.Fatalf("%d of %d", b.Used(), b.limit)
					}
					sum += b.Used()
				}
				if all.Used() != sum || sum > all.limit {
					t.Fatalf("%d of %d, and %d of the users", all.Used(), all.limit, sum)
				}
			},
		})
		for i, o := range outlets {
			switch i {
			case 0:
				o.Close()
			default:
				for o.Pending() {
					o.AppendTo(nil, 1<<20)
				}
			}
		}
		if all.Used() != 0 {
			t.Fatalf("%d bytes are held by nobody", all.Used())
		}
	})
}

// TestWhoReadsLosesNothingToTheOthers of the same user, who hold all that they
// may together.
func TestWhoReadsLosesNothingToTheOthers(t *testing.T) {
	h := New(nil)
	defer h.Close()
	const limit, stalled, events = 1 << 20, 50, 20_000
	b := NewBudget(limit, NewBudget(2*limit, nil))
	var others []*Outlet
	for range stalled {
		o, _ := newOutlet(h, &OutletOptions{Budget: b})
		mustEnter(t, o, "a", Separate{})
		others = append(others, o)
	}
	reader, _ := newOutlet(h, &OutletOptions{Budget: b})
	mustEnter(t, reader, "a", Separate{})
	seen := uint64(0)
	for n := range events {
		mustPublish(t, h, "a", `"some data"`)
		if n%100 != 99 {
			continue
		}
		for _, it := range decodeAll(t, reader.AppendTo(nil, 1<<20)) {
			if seen++; it.Seq != seen {
				t.Fatalf("after event %d comes %+v", seen-1, it)
			}
		}
		if b.Used() > limit {
			t.Fatalf("%d of %d are used", b.Used(), limit)
		}
	}
	if seen != events || b.Used() < limit/2 {
		t.Errorf("%d events were read, and %d bytes are held", seen, b.Used())
	}
	for _, o := range others {
		o.Close()
	}
	if b.Used() != 0 {
		t.Errorf("%d bytes are held by nobody", b.Used())
	}
}

// TestABudgetUnderConcurrency returns to nothing.
func TestABudgetUnderConcurrency(t *testing.T) {
	h := withStreams(t)
	all := NewBudget(20_000, nil)
	var working sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		working.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					h.Publish(context.Background(), Publication{Name: "a", Data: []byte(`"some data"`)})
				}
			}
		})
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			b := NewBudget(8_000, all)
			for i := range 100 {
				o, _ := newOutlet(h, &OutletOptions{Budget: b})
				o.Subscribe("a", Policy(i%2), Separate{ID: "x"})
				o.Subscribe("*", PolicyDropOldest, Separate{})
				for range i % 7 {
					o.AppendTo(nil, 500)
				}
				o.Close()
			}
		})
	}
	readers.Wait()
	close(done)
	working.Wait()
	if all.Used() != 0 {
		t.Errorf("%d bytes are held by nobody", all.Used())
	}
}

// TestWhatIsReadyFromALogIsCharged has many subscriptions that begin in the
// past and nobody who reads, and then somebody.
func TestWhatIsReadyFromALogIsCharged(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "s", Log: memoryLog(t, store.Limits{})})
	const n, subscriptions, limit = 1000, 20, 150_000
	for range n {
		mustPublish(t, h, "s", `"some data that takes a little room"`)
	}
	b := NewBudget(limit, nil)
	o, woken := newOutlet(h, &OutletOptions{Budget: b})
	for i := range subscriptions {
		mustEnter(t, o, "s", fromFirst(fmt.Sprint("x", i)))
	}
	settled := func() bool {
		for i := range subscriptions {
			o.mu.Lock()
			l := o.separate[fmt.Sprint("x", i)].lane.Load()
			o.mu.Unlock()
			l.mu.Lock()
			feeding := l.feeding
			l.mu.Unlock()
			if feeding {
				return false
			}
		}
		return true
	}
	for !settled() {
		runtime.Gosched()
	}
	if used := b.Used(); used < limit/4 || used > limit+2*laneSize+subscriptions*1000 {
		t.Errorf("%d of %d are used", used, limit)
	}
	got := map[string]int{}
	for total := 0; total < n*subscriptions; {
		items := decodeAll(t, o.AppendTo(nil, 1<<20))
		if len(items) == 0 {
			<-woken
		}
		for _, it := range items {
			if got[it.Tag]++; uint64(got[it.Tag]) != it.Seq {
				t.Fatalf("%+v is number %d", it, got[it.Tag])
			}
		}
		total += len(items)
	}
	for !settled() {
		runtime.Gosched()
	}
	for o.Pending() { // what a queue was woken for may be taken already
		o.AppendTo(nil, 1<<20)
	}
	if b.Used() != 0 {
		t.Errorf("%d bytes are held by nobody", b.Used())
	}
	mustEnter(t, o, "s", fromFirst("unread"))
	o.Close()
	h.Close() // waits for the feeder, which may have some in hand
	if b.Used() != 0 {
		t.Errorf("%d bytes are held by nobody after Close", b.Used())
	}
}
