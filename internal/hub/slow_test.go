package hub

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ekkojs/ipc/wire"
)

func gapOf(channel string, from, to uint64) item {
	return item{Channel: channel, Gap: wire.Gap{From: from, To: to, Reason: GapSlowConsumer}}
}

func event(channel string, seq uint64) item { return item{Channel: channel, Seq: seq} }

var unlessChance = cmpopts.IgnoreFields(item{}, "ID", "Epoch", "Data")

func TestOverflowDropsTheOldestAndSaysSo(t *testing.T) {
	h := New(nil)
	s := h.AttachWith(nil, &SubscriberOptions{QueueMessages: 3})
	mustSubscribe(t, s, "**")
	for _, name := range []string{"a", "b", "a", "c", "a", "a"} {
		mustPublish(t, h, name, `0`)
	}
	// a1, b1 and a2 are gone; c1, a3, a4 wait.
	want := []item{
		gapOf("events.a", 1, 2), gapOf("events.b", 1, 1),
		event("events.c", 1), event("events.a", 3), event("events.a", 4),
	}
	if diff := cmp.Diff(want, drain(t, s), unlessChance); diff != "" {
		t.Error(diff)
	}
	st := s.Stats()
	if st.Offered != 6 || st.Dropped != 3 || st.Delivered != 3 || st.Queued != 0 {
		t.Errorf("%+v", st)
	}
}

func TestGapNoticeOfAChannelThatFallsSilent(t *testing.T) {
	h := New(nil)
	s := h.AttachWith(nil, &SubscriberOptions{QueueMessages: 1})
	mustSubscribe(t, s, "**")
	mustPublish(t, h, "once", `0`)
	mustPublish(t, h, "often", `0`)
	want := []item{gapOf("events.once", 1, 1), event("events.often", 1)}
	var got []item
	for s.Pending() {
		message, _ := s.Next()
		got = append(got, decode(t, message))
	}
	if diff := cmp.Diff(want, got, unlessChance); diff != "" {
		t.Error(diff)
	}
}

func TestGapsDoNotCoverWhatWasNotSubscribed(t *testing.T) {
	h := New(nil)
	s := h.AttachWith(nil, &SubscriberOptions{QueueMessages: 1})
	id, _ := mustSubscribe(t, s, "a")
	mustPublish(t, h, "a", `0`)
	s.Unsubscribe(id)
	mustPublish(t, h, "a", `0`)
	mustPublish(t, h, "a", `0`)
	mustSubscribe(t, s, "a")
	mustPublish(t, h, "a", `0`)
	mustPublish(t, h, "a", `0`)
	want := []item{gapOf("events.a", 1, 1), gapOf("events.a", 4, 4), event("events.a", 5)}
	if diff := cmp.Diff(want, drain(t, s), unlessChance); diff != "" {
		t.Error(diff)
	}
}

func TestQueueIsBoundedByBytes(t *testing.T) {
	h := New(nil)
	s := h.AttachWith(nil, &SubscriberOptions{QueueBytes: 2000})
	mustSubscribe(t, s, "a")
	for range 100 {
		mustPublish(t, h, "a", `"`+strings.Repeat("x", 300)+`"`)
	}
	st := s.Stats()
	if st.QueuedBytes > 2000 || st.Queued < 2 || st.Dropped+uint64(st.Queued) != 100 {
		t.Errorf("%+v", st)
	}
	// What never fits is lost with everything before it.
	if _, receivers := mustPublish(t, h, "a", `"`+strings.Repeat("x", 3000)+`"`); receivers != 0 {
		t.Error("a frame over the limit was accepted")
	}
	if diff := cmp.Diff([]item{gapOf("events.a", 1, 101)}, drain(t, s), unlessChance); diff != "" {
		t.Error(diff)
	}
}

func TestNotifyForAGapAlone(t *testing.T) {
	h := New(nil)
	calls := 0
	s := h.AttachWith(func() { calls++ }, &SubscriberOptions{QueueBytes: 10})
	mustSubscribe(t, s, "a")
	mustPublish(t, h, "a", `0`)
	mustPublish(t, h, "a", `0`)
	if calls != 1 || !s.Pending() {
		t.Errorf("%d calls, pending %v", calls, s.Pending())
	}
	if diff := cmp.Diff([]item{gapOf("events.a", 1, 2)}, drain(t, s), unlessChance); diff != "" {
		t.Error(diff)
	}
}

func TestDisconnectInsteadOfLoss(t *testing.T) {
	h := New(nil)
	var s *Subscriber
	var slow []error
	s = h.AttachWith(nil, &SubscriberOptions{QueueMessages: 2, OnSlow: func(err error) {
		slow = append(slow, err)
		h.Stats() // no lock is held
		s.Close()
	}})
	mustSubscribe(t, s, "cheap")
	if _, _, err := s.Subscribe("precious.*", &SubscribeOptions{Policy: PolicyDisconnect}); err != nil {
		t.Fatal(err)
	}
	mustSubscribe(t, s, "precious.one") // the stricter policy wins
	mustPublish(t, h, "cheap", `0`)
	mustPublish(t, h, "precious.one", `0`)
	mustPublish(t, h, "cheap", `0`) // drops a cheap one
	if len(slow) != 0 {
		t.Fatal("closed for losing what may be lost")
	}
	if _, receivers := mustPublish(t, h, "cheap", `0`); receivers != 0 {
		t.Error("a subscriber that is closed counts as a receiver")
	}
	if len(slow) != 1 || !errors.Is(slow[0], wire.CodeSlowConsumer) || !errors.Is(s.Err(), wire.CodeSlowConsumer) {
		t.Errorf("OnSlow %v, Err %v", slow, s.Err())
	}
	if st := h.Stats(); st.Offered != 4 || st.Dropped != 4 || st.Subscribers != 0 || st.Subscriptions != 0 {
		t.Errorf("%+v", st)
	}
	if s.Pending() {
		t.Error("something waits")
	}
}

func TestTooManyGapsDisconnect(t *testing.T) {
	h := New(&Options{MaxChannels: 4})
	var reason error
	s := h.AttachWith(nil, &SubscriberOptions{QueueMessages: 70, OnSlow: func(err error) { reason = err }})
	mustSubscribe(t, s, "**")
	for i := range 140 {
		mustPublish(t, h, fmt.Sprintf("c%d", i), `0`)
	}
	if reason != nil {
		t.Fatal("closed with seventy gaps")
	}
	mustPublish(t, h, "last", `0`)
	if !errors.Is(reason, wire.CodeSlowConsumer) {
		t.Errorf("seventy-one gaps are kept: %v", reason)
	}
}

func TestForgottenChannelsStartUnderANewEpoch(t *testing.T) {
	h := New(&Options{MaxChannels: 3})
	s := h.Attach(nil)
	mustSubscribe(t, s, "**")
	seen := map[Cursor]string{}
	for round := range 5 {
		for c := range 7 {
			name := fmt.Sprintf("c%d", c)
			mustPublish(t, h, name, `0`)
			if c == round {
				mustPublish(t, h, name, `0`)
			}
		}
	}
	last := map[string]Cursor{}
	for _, it := range drain(t, s) {
		at := Cursor{it.Channel + "/" + it.Epoch, it.Seq}
		if seen[at] != "" {
			t.Fatalf("%v names two events", at)
		}
		seen[at] = it.ID
		if before := last[it.Channel]; before.Epoch == it.Epoch && it.Seq != before.Seq+1 || before.Epoch != it.Epoch && it.Seq != 1 {
			t.Fatalf("%s: %v after %v", it.Channel, it, before)
		}
		last[it.Channel] = Cursor{it.Epoch, it.Seq}
	}
	st := h.Stats()
	if st.Channels != 3 || st.Published != 40 || st.Forgotten == 0 {
		t.Errorf("%+v", st)
	}
	// Subscribing to what nobody publishes forgets nothing.
	for i := range 100 {
		id, _ := mustSubscribe(t, s, fmt.Sprintf("invented%d", i))
		s.Unsubscribe(id)
	}
	if now := h.Stats(); now.Forgotten != st.Forgotten {
		t.Error("subscribing pushed channels out")
	}
}

func TestChannelsInUseAreNotForgotten(t *testing.T) {
	h := New(&Options{MaxChannels: 8})
	for i := range 1000 {
		if seq, _ := mustPublish(t, h, "busy", `0`); seq != uint64(i+1) {
			t.Fatalf("the busy channel was forgotten at %d", i)
		}
		mustPublish(t, h, fmt.Sprintf("rare%d", i), `0`)
	}
}

// TestForgottenWhileBeingPublishedOn is the moment between looking a channel
// up and publishing on it.
func TestForgottenWhileBeingPublishedOn(t *testing.T) {
	h := New(&Options{MaxChannels: 1})
	before, err := h.topics.get("a")
	if err != nil {
		t.Fatal(err)
	}
	mustPublish(t, h, "b", `0`) // takes its place
	if _, ok := h.countAndSpread(before, &Publication{Name: "a"}, &aftermath{}); ok {
		t.Error("an event was published under the epoch of a channel that is forgotten")
	}
}
