package hub

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// memoryLog opens a log in memory.
func memoryLog(t tb, limits store.Limits) store.Log {
	t.Helper()
	l, err := store.NewMemory().Log("log", limits)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return l
}

// withStreams returns a hub that is closed when the test ends.
func withStreams(t *testing.T, streams ...StreamOptions) *Hub {
	t.Helper()
	h := New(&Options{Streams: streams})
	t.Cleanup(h.Close)
	return h
}

// newOutlet returns an outlet whose reader is told by a token in woken.
func newOutlet(h *Hub, o *OutletOptions) (out *Outlet, woken chan struct{}) {
	woken = make(chan struct{}, 1)
	return h.NewOutlet(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}, o), woken
}

func mustEnter(t tb, o *Outlet, pattern string, how Separate) (string, Start) {
	t.Helper()
	id, start, err := o.Subscribe(pattern, PolicyDropOldest, how)
	if err != nil {
		t.Fatalf("subscribe %s: %v", pattern, err)
	}
	return id, start
}

// collect takes messages until there are n.
func collect(t tb, o *Outlet, woken <-chan struct{}, n int) (items []item) {
	t.Helper()
	for {
		items = append(items, decodeAll(t, o.AppendTo(nil, 1<<20))...)
		if len(items) >= n {
			return items
		}
		<-woken
	}
}

func TestABundleIsOneStream(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "orders", Events: []string{"order.made", "order.paid"}})
	whole, one, pattern := h.Attach(nil), h.Attach(nil), h.Attach(nil)
	mustPublish(t, h, "order.paid", `0`)
	_, start := mustSubscribe(t, whole, "orders")
	if start.Stream != "orders" || start.Seq != 2 {
		t.Errorf("the stream starts at %+v", start)
	}
	if _, start = mustSubscribe(t, one, "events.order.made"); start.Stream != "orders" || start.Seq != 2 {
		t.Errorf("one of its events starts at %+v", start)
	}
	_, start = mustSubscribe(t, pattern, "order.*")
	if want := map[string]Cursor{"orders": {h.Epoch(), 2}}; !cmp.Equal(start.Channels, want) {
		t.Errorf("a pattern starts at %+v", start)
	}
	for _, name := range []string{"order.made", "order.paid", "orders", "order.made"} {
		mustPublish(t, h, name, `0`)
	}
	of := func(name string, seq uint64) item {
		it := item{Channel: "events." + name, Seq: seq, Epoch: h.Epoch()}
		if name != "orders" {
			it.Stream = "orders"
		}
		return it
	}
	for name, c := range map[string]struct {
		s    *Subscriber
		want []item
	}{
		"by the stream's name": {whole, []item{of("order.made", 2), of("order.paid", 3), of("orders", 4), of("order.made", 5)}},
		"by an event's name":   {one, []item{of("order.made", 2), of("order.made", 5)}},
		"by a pattern":         {pattern, []item{of("order.made", 2), of("order.paid", 3), of("order.made", 5)}},
	} {
		if diff := cmp.Diff(c.want, drain(t, c.s), cmpopts.IgnoreFields(item{}, "ID", "Data")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if next := h.Next("order.paid"); next.Seq != 6 || next != h.Next("orders") {
		t.Errorf("next is %+v", next)
	}
}

func TestGapsOfABundleCountWhatWasLost(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "orders", Events: []string{"made", "paid"}})
	s := h.AttachWith(nil, &SubscriberOptions{QueueMessages: 1})
	mustSubscribe(t, s, "made")
	for _, name := range []string{"made", "paid", "made", "paid", "made"} {
		mustPublish(t, h, name, `0`)
	}
	want := []item{
		{Channel: "events.made", Stream: "orders", Gap: wire.Gap{From: 1, To: 3, Count: 2, Reason: GapSlowConsumer}},
		{Channel: "events.made", Stream: "orders", Seq: 5},
	}
	if diff := cmp.Diff(want, drain(t, s), unlessChance); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyWhoNamesThemHearsHiddenStreams(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "a.hidden", Hidden: true}, StreamOptions{Name: "a.jobs", Queue: true})
	s := h.Attach(nil)
	for _, pattern := range []string{"**", "a.*", "*.hidden"} {
		if _, start := mustSubscribe(t, s, pattern); start.Channels != nil {
			t.Errorf("%s starts at %+v", pattern, start)
		}
	}
	if h.Heard("a.hidden") {
		t.Error("a hidden stream is heard by a pattern")
	}
	mustPublish(t, h, "a.hidden", `0`)
	mustPublish(t, h, "a.jobs", `0`)
	if s.Pending() {
		t.Errorf("a pattern brings %v", drain(t, s))
	}
	mustSubscribe(t, s, "a.hidden")
	if !h.Heard("a.hidden") {
		t.Error("who names it is not counted")
	}
	mustPublish(t, h, "a.hidden", `0`)
	if diff := cmp.Diff([]item{event("events.a.hidden", 2)}, drain(t, s), unlessChance); diff != "" {
		t.Error(diff)
	}
	if _, _, err := s.Subscribe("a.jobs", nil); wire.CodeOf(err) != wire.CodeInvalidArgument {
		t.Errorf("a queue without a group: %v", err)
	}
}

func TestMaxSubscribers(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "few", Events: []string{"few.a"}, MaxSubscribers: 2})
	one, two := h.Attach(nil), h.Attach(nil)
	id, _ := mustSubscribe(t, one, "few.a")
	mustSubscribe(t, two, "few")
	full := func(pattern string) bool {
		t.Helper()
		s := h.Attach(nil)
		defer s.Close()
		_, _, err := s.Subscribe(pattern, nil)
		if err != nil && wire.CodeOf(err) != wire.CodeQuotaExceeded {
			t.Fatal(err)
		}
		return err != nil
	}
	for _, pattern := range []string{"few", "few.a"} {
		if !full(pattern) {
			t.Errorf("%s is one too many and got in", pattern)
		}
	}
	for _, pattern := range []string{"other", "few.*", "**"} {
		if full(pattern) {
			t.Errorf("%s takes no place there, and is refused", pattern)
		}
	}
	mustSubscribe(t, one, "**")
	one.Unsubscribe(id)
	if full("few") {
		t.Error("an end by Unsubscribe is not counted")
	}
	mustSubscribe(t, one, "few")
	two.Close()
	if full("few.a") {
		t.Error("an end by Close is not counted")
	}
	h.Close()
	if n := h.topics.streams[0].heard.Load(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestTheLastOfEachName(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "state", Events: []string{"a", "b"}, Last: true})
	o, woken := newOutlet(h, nil)
	if _, start := mustEnter(t, o, "state", Separate{ID: "early", From: From{Kind: FromLast}}); start.Seq != 1 {
		t.Errorf("before any: %+v", start)
	}
	o.Unsubscribe("early")
	var ids []string
	live := h.Attach(nil)
	mustSubscribe(t, live, "state")
	for _, name := range []string{"a", "b", "a", "b", "a"} {
		mustPublish(t, h, name, `"`+name+`"`)
	}
	for _, it := range drain(t, live) {
		ids = append(ids, it.ID)
	}
	_, start := mustEnter(t, o, "state", Separate{ID: "x", From: From{Kind: FromLast}})
	if start.Seq != 4 {
		t.Errorf("it starts at %+v", start)
	}
	want := []item{
		{Channel: "events.b", Stream: "state", Seq: 4, Tag: "x", Data: `"b"`, ID: ids[3]},
		{Channel: "events.a", Stream: "state", Seq: 5, Tag: "x", Data: `"a"`, ID: ids[4]},
	}
	if diff := cmp.Diff(want, collect(t, o, woken, 2), cmpopts.IgnoreFields(item{}, "Epoch")); diff != "" {
		t.Error(diff)
	}
	mustEnter(t, o, "**", Separate{ID: "y", From: From{Kind: FromLast}})
	if got := collect(t, o, woken, 2); len(got) != 2 || got[0].Seq != 4 || got[1].Tag != "y" {
		t.Errorf("a pattern: %+v", got)
	}
	if _, _, err := o.Subscribe("other", PolicyDropOldest, Separate{From: From{Kind: FromLast}}); wire.CodeOf(err) != wire.CodeInvalidArgument {
		t.Errorf("of what keeps none: %v", err)
	}
}

func TestADuplicateIsNotPublished(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "kept", Log: memoryLog(t, store.Limits{})})
	s := h.Attach(nil)
	mustSubscribe(t, s, "kept")
	var receipts []Receipt
	for _, id := range []string{"first-event", "other-event", "first-event"} {
		r, err := h.Publish(context.Background(), Publication{Name: "kept", Data: []byte(`0`), ID: id})
		if err != nil {
			t.Fatal(err)
		}
		receipts = append(receipts, r)
	}
	epoch := receipts[0].Epoch
	want := []Receipt{
		{Stream: "kept", Cursor: Cursor{epoch, 1}, Receivers: 1},
		{Stream: "kept", Cursor: Cursor{epoch, 2}, Receivers: 1, Behind: 1},
		{Stream: "kept", Cursor: Cursor{epoch, 1}, Duplicate: true},
	}
	if diff := cmp.Diff(want, receipts); diff != "" {
		t.Error(diff)
	}
	if got := drain(t, s); len(got) != 2 || got[0].ID != "first-event" {
		t.Errorf("%+v", got)
	}
}
