package hub

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

func fromFirst(id string) Separate { return Separate{ID: id, From: From{Kind: FromFirst}} }

// subscriptionStats is what the subscriber of a separate subscription counts.
func subscriptionStats(o *Outlet, id string) SubscriberStats {
	o.mu.Lock()
	s := o.separate[id]
	o.mu.Unlock()
	return s.Stats()
}

// TestReplayGoesLive lets a stream be published on while subscriptions to it
// begin in the past and read at their own pace. Where nothing is removed from
// the log and the queue is long enough, nothing is lost; where something is,
// a notice covers it.
func TestReplayGoesLive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := rapid.SampledFrom([]int64{0, 0, 3, 20, 500}).Draw(t, "kept")
		log := memoryLog(t, store.Limits{Messages: kept, Dedupe: -1})
		h := New(&Options{Streams: []StreamOptions{{Name: "s", Events: []string{"a", "b"}, Log: log}}})
		defer h.Close()
		var names []string
		publish := func(n int) {
			for range n {
				name := []string{"s", "a", "b"}[len(names)%7%3]
				mustPublishTo(t, h, name)
				names = append(names, name)
			}
		}
		publish(rapid.SampledFrom([]int{0, 1, 10, 300, 1000}).Draw(t, "before"))
		pattern := rapid.SampledFrom([]string{"s", "a", "*"}).Draw(t, "pattern")
		wanted := func(name string) bool { return pattern != "a" || name == "a" }
		queue := rapid.SampledFrom([]int{0, 0, 1, 5, 100}).Draw(t, "queue")
		f := newFollower(h, wanted, &OutletOptions{QueueMessages: queue})
		from := rapid.SampledFrom([]From{{Kind: FromFirst}, {Kind: FromLast}, {}, {Kind: FromCursors, Cursors: map[string]Cursor{"s": {log.Epoch(), 7}}}}).Draw(t, "from")
		_, start := mustEnter(t, f.out, pattern, Separate{ID: "x", From: from})
		at := start.Cursor
		if c, ok := start.Channels["s"]; ok {
			at = c
		}
		f.next = at.Seq
		live := 0
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			n := rapid.SampledFrom([]int{0, 1, 5, 200}).Draw(t, "publish")
			publish(n)
			live += n
			f.take(t, decodeAll(t, f.out.AppendTo(nil, rapid.SampledFrom([]int{0, 100, 5000, 1 << 20}).Draw(t, "take"))))
		}
		publish(1)
		live++
		for wanted(names[len(names)-1]) == false {
			publish(1)
			live++
		}
		for f.next <= uint64(len(names)) {
			if items := decodeAll(t, f.out.AppendTo(nil, 1<<20)); len(items) > 0 {
				f.take(t, items)
				continue
			}
			if _, lost := f.lost[uint64(len(names))]; lost {
				break
			}
			<-f.woken
		}
		f.check(t, at.Seq, names)
		if kept == 0 && (queue == 0 || live <= 1) && len(f.lost) > 0 {
			t.Fatalf("%d are lost of a log that keeps them", len(f.lost))
		}
		st := subscriptionStats(f.out, "x")
		if st.Offered != st.Delivered+st.Dropped+uint64(st.Queued) || st.Delivered != uint64(len(f.seen)) || st.Dropped != f.told {
			t.Fatalf("%d seen and %d told of: %+v", len(f.seen), f.told, st)
		}
	})
}

func mustPublishTo(t tb, h *Hub, name string) {
	t.Helper()
	if _, err := h.Publish(context.Background(), Publication{Name: name, Data: []byte(`0`)}); err != nil {
		t.Fatalf("publish %s: %v", name, err)
	}
}

// TestReplayWhilePublishing has publishers that do not wait for anybody.
func TestReplayWhilePublishing(t *testing.T) {
	const publishers, each = 3, 3000
	for _, kept := range []int64{0, 100} {
		t.Run(fmt.Sprintf("kept=%d", kept), func(t *testing.T) {
			h := withStreams(t, StreamOptions{Name: "s", Events: []string{"a", "b"}, Log: memoryLog(t, store.Limits{Messages: kept})})
			names := make([]string, publishers*each)
			var mu sync.Mutex // guards names
			var publishing, reading sync.WaitGroup
			for range publishers {
				publishing.Go(func() {
					for i := range each {
						name := []string{"a", "b", "s"}[i%3]
						r, err := h.Publish(context.Background(), Publication{Name: name, Data: []byte(`{"some":"data"}`)})
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						names[r.Seq-1] = name
						mu.Unlock()
						if i%64 == 0 { // one new name after another, so that the table is written to
							mustPublishTo(t, h, fmt.Sprintf("fresh%d", rand.IntN(100_000)))
						}
					}
				})
			}
			followers := make([]*follower, 12)
			starts := make([]uint64, len(followers))
			for i := range followers {
				pattern := []string{"s", "a", "**"}[i%3]
				queue := []int{0, 8}[i/3%2]
				if pattern == "**" {
					queue = 0 // a short one would have more names to tell gaps of than it may remember
				}
				f := newFollower(h, func(name string) bool { return pattern != "a" || name == "a" }, &OutletOptions{QueueMessages: queue})
				if pattern == "**" {
					f.wanted = func(string) bool { return true }
				}
				followers[i] = f
				reading.Go(func() {
					starts[i] = f.follow(t, pattern, From{Kind: []FromKind{FromFirst, FromLast}[i/6]}, publishers*each)
				})
			}
			publishing.Wait()
			mu.Lock()
			last := names[len(names)-1]
			mu.Unlock()
			for _, name := range []string{"a", last} { // that all can see the end
				r, _ := h.Publish(context.Background(), Publication{Name: name, Data: []byte(`0`)})
				names = append(names, name)
				_ = r
			}
			reading.Wait()
			for i, f := range followers {
				f.check(t, starts[i], names[:publishers*each])
				if st := subscriptionStats(f.out, "x"); st.Offered != st.Delivered+st.Dropped+uint64(st.Queued) {
					t.Errorf("%+v", st)
				}
			}
		})
	}
}

// follow reads until an event past the last has come, and returns where the
// subscription has begun.
func (f *follower) follow(t *testing.T, pattern string, from From, last uint64) (start uint64) {
	_, at, err := f.out.Subscribe(pattern, PolicyDropOldest, Separate{ID: "x", From: from})
	if err != nil {
		t.Error(err)
		return
	}
	start = at.Seq
	if c, ok := at.Channels["s"]; ok {
		start = c.Seq
	}
	f.next = start
	for f.next <= last {
		items := decodeAll(t, f.out.AppendTo(nil, 4096))
		if len(items) == 0 {
			<-f.woken
			continue
		}
		for _, it := range items {
			if it.Channel[len("events."):] == "s" || it.Stream == "s" {
				f.take(t, []item{it})
			}
		}
	}
	return start
}

// TestWhatExpiresDuringAReplayIsSaid removes records that a replay has still
// to read.
func TestWhatExpiresDuringAReplayIsSaid(t *testing.T) {
	for reason, losses := range map[string][]store.Loss{GapExpired: nil, GapDataLoss: {{From: 350, To: 360, Reason: "bad sector"}}} {
		t.Run(reason, func(t *testing.T) {
			l := &fakeLog{Log: memoryLog(t, store.Limits{}), losses: losses, gate: make(chan struct{})}
			h := withStreams(t, StreamOptions{Name: "s", Log: l})
			for range 1000 {
				mustPublish(t, h, "s", `0`)
			}
			o, woken := newOutlet(h, nil)
			mustEnter(t, o, "s", fromFirst("x"))
			l.gate <- struct{}{} // 1 to 128 are read, or are going to be
			l.set(func() {
				l.gone = func(seq uint64) bool { return seq >= 300 && seq <= 400 || seq == 990 }
				close(l.gate)
			})
			items := collect(t, o, woken, 1000-102+2)
			gap := func(from, to uint64, reason string) item {
				return item{Channel: "events.s", Tag: "x", Gap: wire.Gap{From: from, To: to, Reason: reason}}
			}
			var want []item
			for seq := uint64(1); seq <= 1000; seq++ {
				switch {
				case seq == 300:
					want = append(want, gap(300, 400, reason))
				case seq == 990:
					want = append(want, gap(990, 990, GapExpired))
				case seq < 300 || seq > 400:
					want = append(want, item{Channel: "events.s", Seq: seq, Tag: "x"})
				}
			}
			if diff := cmp.Diff(want, items, unlessChance); diff != "" {
				t.Error(diff)
			}
			if st := subscriptionStats(o, "x"); st.Offered != 1000 || st.Delivered != 898 || st.Dropped != 102 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestAReplayLosesNothingToAShortQueue has a log that is longer than what may
// wait, and a subscription that may lose nothing.
func TestAReplayLosesNothingToAShortQueue(t *testing.T) {
	for _, queue := range []OutletOptions{{QueueMessages: 4}, {QueueBytes: 3000}, {QueueBytes: 300}} {
		h := withStreams(t, StreamOptions{Name: "s", Log: memoryLog(t, store.Limits{}), Policy: PolicyDisconnect})
		for range 200 {
			mustPublish(t, h, "s", `0`)
		}
		o, woken := newOutlet(h, &queue)
		mustEnter(t, o, "s", fromFirst("x"))
		items := collect(t, o, woken, 200)
		for i, it := range items {
			if it.Seq != uint64(i+1) {
				t.Fatalf("%+v: item %d is %+v", queue, i, it)
			}
		}
		if st := subscriptionStats(o, "x"); st.Delivered != 200 || st.Dropped != 0 {
			t.Errorf("%+v", st)
		}
	}
}

func TestALogThatCannotBeReadEndsTheSubscription(t *testing.T) {
	for name, records := range map[string]int{"while it reads": 1000, "while it joins": 10} {
		t.Run(name, func(t *testing.T) {
			broken := wire.Errorf(wire.CodeStorageUnavailable, "the disk is gone")
			l := &fakeLog{Log: memoryLog(t, store.Limits{}), fails: broken}
			h := withStreams(t, StreamOptions{Name: "s", Log: l})
			for range records {
				mustPublish(t, h, "s", `0`)
			}
			ended := make(chan string, 10)
			o, woken := newOutlet(h, &OutletOptions{OnEnd: func(e Ended, err error) {
				ended <- fmt.Sprint(e.ID, e.Pattern, wire.CodeOf(err))
			}})
			mustEnter(t, o, "s", fromFirst("x"))
			if got := <-ended; got != "xs"+string(wire.CodeStorageUnavailable) {
				t.Errorf("the end is %s", got)
			}
			<-woken
			frames := o.AppendTo(nil, 1<<20)
			if text := string(frames); !strings.Contains(text, `"correlationId":"x"`) || !strings.Contains(text, "the disk is gone") {
				t.Errorf("the other side is told %s", text)
			}
			if all := o.All(); len(all) > 0 || h.Stats().Subscriptions != 0 {
				t.Errorf("there is still %v", all)
			}
		})
	}
}

// TestALaneIsBounded has nobody read.
func TestALaneIsBounded(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "s", Log: memoryLog(t, store.Limits{})})
	long := `"` + strings.Repeat("x", 1000) + `"`
	for range 5000 {
		mustPublish(t, h, "s", long)
	}
	o, woken := newOutlet(h, nil)
	mustEnter(t, o, "s", fromFirst("x"))
	<-woken
	o.mu.Lock()
	l := o.separate["x"].lane.Load()
	o.mu.Unlock()
	most, total := 0, 0
	for total < 5000 {
		l.mu.Lock()
		most = max(most, len(l.buf))
		l.mu.Unlock()
		if items := decodeAll(t, o.AppendTo(nil, 3000)); len(items) > 0 {
			total += len(items)
			continue
		}
		<-woken
	}
	if most > 3*laneSize {
		t.Errorf("%d bytes were ready", most)
	}
}

// TestCloseWhileALogIsRead ends a subscription whose feeder waits for a disk.
func TestCloseWhileALogIsRead(t *testing.T) {
	for name, end := range map[string]func(*Hub, *Outlet){
		"the subscription": func(_ *Hub, o *Outlet) { o.Unsubscribe("x") },
		"the outlet":       func(_ *Hub, o *Outlet) { o.Close() },
		"the hub": func(h *Hub, _ *Outlet) {
			for _, s := range h.index.all() { // as Close does before it waits
				s.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := &fakeLog{Log: memoryLog(t, store.Limits{}), gate: make(chan struct{})}
			h := withStreams(t, StreamOptions{Name: "s", Log: l})
			for range 1000 {
				mustPublish(t, h, "s", `0`)
			}
			o, _ := newOutlet(h, nil)
			mustEnter(t, o, "s", fromFirst("x"))
			l.gate <- struct{}{}
			l.gate <- struct{}{} // so the feeder is past the first batch
			end(h, o)
			close(l.gate)
			h.Close()
			if st := h.Stats(); st.Subscribers != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestCloseWhileReplaying ends outlets and the hub with feeders at work.
func TestCloseWhileReplaying(t *testing.T) {
	for range 50 {
		h := New(&Options{Streams: []StreamOptions{{Name: "s", Log: memoryLog(t, store.Limits{})}}})
		for range 2000 {
			mustPublish(t, h, "s", `0`)
		}
		var readers sync.WaitGroup
		for i := range 4 {
			o, _ := newOutlet(h, nil)
			mustEnter(t, o, "s", fromFirst("x"))
			readers.Go(func() {
				for range i * 3 {
					o.AppendTo(nil, 1<<16)
				}
				if i%2 == 0 {
					o.Close()
				} else {
					o.Unsubscribe("x")
				}
			})
		}
		h.Close()
		readers.Wait()
		if st := h.Stats(); st.Subscribers != 0 || st.Queued != 0 {
			t.Fatalf("%+v", st)
		}
	}
}
