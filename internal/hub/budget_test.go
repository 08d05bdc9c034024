package hub

import (
	"context"
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
