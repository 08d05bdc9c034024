package hub

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// reader is a connection's writer: it waits for notify and takes what there
// is.
type reader struct {
	s     *Subscriber
	woken chan struct{}
	items []item
}

func newReader(h *Hub, o *SubscriberOptions) *reader {
	r := &reader{woken: make(chan struct{}, 1)}
	r.s = h.AttachWith(func() {
		select {
		case r.woken <- struct{}{}:
		default:
		}
	}, o)
	return r
}

// run reads until done is closed and nothing waits.
func (r *reader) run(t *testing.T, done <-chan struct{}) {
	for over := false; !over || r.s.Pending(); {
		r.items = append(r.items, decodeAll(t, r.s.AppendTo(nil, 4096))...)
		if r.s.Pending() || over {
			continue
		}
		select {
		case <-r.woken:
		case <-done:
			over = true
		}
	}
}

// check tells whether the events and gaps of each channel are a sequence
// without holes that begins at 1 and ends at last.
func (r *reader) check(t *testing.T, last uint64, channels int) {
	t.Helper()
	at := map[string]uint64{}
	for i, it := range r.items {
		from, to := it.Seq, it.Seq
		if it.Seq == 0 {
			from, to = it.Gap.From, it.Gap.To
		}
		if from != at[it.Channel]+1 {
			t.Fatalf("item %d: %s goes from %d to %+v", i, it.Channel, at[it.Channel], it)
		}
		at[it.Channel] = to
	}
	for channel, end := range at {
		if end != last {
			t.Errorf("%s ends at %d instead of %d", channel, end, last)
		}
	}
	if len(at) != channels {
		t.Errorf("%d channels instead of %d", len(at), channels)
	}
}

func TestConcurrentPublishersKeepTheOrder(t *testing.T) {
	const publishers, each = 4, 1000
	h := New(nil)
	readers := []*reader{
		newReader(h, nil),
		newReader(h, &SubscriberOptions{QueueMessages: 8}),
		newReader(h, &SubscriberOptions{QueueBytes: 1000}),
	}
	done := make(chan struct{})
	var reading, publishing sync.WaitGroup
	for _, r := range readers {
		mustSubscribe(t, r.s, "**")
		mustSubscribe(t, r.s, "c0")
		reading.Go(func() { r.run(t, done) })
	}
	for range publishers {
		publishing.Go(func() {
			for i := range each {
				if _, err := h.Publish(context.Background(), Publication{Name: fmt.Sprintf("c%d", i%2), Data: []byte(`{"some":"data"}`)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishing.Wait()
	close(done)
	reading.Wait()
	for _, r := range readers {
		r.check(t, publishers*each/2, 2)
		if st := r.s.Stats(); st.Offered != publishers*each || st.Offered != st.Delivered+st.Dropped {
			t.Errorf("%+v", st)
		}
	}
	if st := readers[0].s.Stats(); st.Dropped > 0 {
		t.Logf("the reader with the long queue lost %d", st.Dropped)
	}
}

// TestChurn lets subscribers come and go, and be thrown out, while channels
// are published on and forgotten. What each one was promised at Subscribe
// must hold: from there on everything, in order, or a gap.
func TestChurn(t *testing.T) {
	h := New(&Options{MaxChannels: 6})
	done := make(chan struct{})
	var publishing, churning sync.WaitGroup
	for p := range 2 {
		publishing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				h.Publish(context.Background(), Publication{Name: "steady", Data: []byte(`1`)})
				h.Publish(context.Background(), Publication{Name: fmt.Sprintf("rare%d", (i+p)%12), Data: []byte(`2`)})
			}
		})
	}
	for c := range 3 {
		churning.Go(func() {
			for i := range 150 {
				s := h.AttachWith(nil, &SubscriberOptions{QueueMessages: 50, OnSlow: func(error) {}})
				policy := Policy(i % 3 / 2)
				id, _, _ := s.Subscribe([]string{"*", "rare1", "**"}[c], &SubscribeOptions{Policy: policy})
				_, start, err := s.Subscribe("steady", nil)
				if err == nil {
					followSteady(t, s, start)
				}
				s.Unsubscribe(id)
				s.Close()
			}
		})
	}
	churning.Wait()
	close(done)
	publishing.Wait()
	st := h.Stats()
	if st.Subscribers != 0 || st.Subscriptions != 0 || st.Queued != 0 || st.Offered != st.Delivered+st.Dropped {
		t.Errorf("%+v", st)
	}
}

// followSteady takes a few times what s has and checks the steady channel
// from start on.
func followSteady(t *testing.T, s *Subscriber, start Start) {
	next := start.Cursor
	for range 20 {
		for _, it := range decodeAll(t, s.AppendTo(nil, 1<<20)) {
			old := age(it.Epoch) < age(start.Epoch) || it.Epoch == start.Epoch && max(it.Seq, it.Gap.To) < start.Seq
			if it.Channel != "events.steady" || old {
				continue // what another subscription brought before
			}
			if it.Epoch != next.Epoch {
				next = Cursor{it.Epoch, 1} // forgotten and made again
			}
			from, to := it.Seq, it.Seq
			if it.Seq == 0 {
				from, to = max(it.Gap.From, next.Seq), it.Gap.To
			}
			if from != next.Seq {
				t.Errorf("%d comes instead of %d", from, next.Seq)
			}
			next.Seq = to + 1
		}
	}
}

// age tells in which order the epochs of a hub came.
func age(epoch string) uint64 {
	_, forgotten, _ := strings.Cut(epoch, "-")
	n, _ := strconv.ParseUint(forgotten, 36, 64)
	return n
}
