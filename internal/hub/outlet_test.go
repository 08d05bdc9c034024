package hub

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// TestSeparateFramesAreWhole reads what carries a subscription's id with
// somebody else's eyes.
func TestSeparateFramesAreWhole(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "s", Events: []string{"a"}, Log: memoryLog(t, store.Limits{})})
	o, woken := newOutlet(h, &OutletOptions{QueueMessages: 2})
	mustPublish(t, h, "a", `{"n":1}`)
	mustEnter(t, o, "s", fromFirst("one"))
	frames := readOne(t, o, woken)
	for range 4 {
		mustPublish(t, h, "s", `{"n":{"m":"}}"}}`)
	}
	frames = append(frames, o.AppendTo(nil, 1<<20)...)
	var seen []string
	for len(frames) > 0 {
		size := int(binary.LittleEndian.Uint32(frames))
		var m struct {
			Type     string
			Channel  string
			Metadata struct {
				Subscription, Stream, Epoch string
				Seq                         uint64
				Gap                         *wire.Gap
			}
		}
		d := json.NewDecoder(bytes.NewReader(frames[headerSize : headerSize+size]))
		if err := d.Decode(&m); err != nil || d.More() {
			t.Fatalf("%s: %v", frames[headerSize:headerSize+size], err)
		}
		if m.Type != "event" || m.Metadata.Subscription != "one" || m.Metadata.Epoch == "" {
			t.Errorf("%+v", m)
		}
		seen = append(seen, fmt.Sprintf("%s %d %v", m.Channel, m.Metadata.Seq, m.Metadata.Gap != nil))
		frames = frames[headerSize+size:]
	}
	want := []string{"events.a 1 false", "events.s 0 true", "events.s 4 false", "events.s 5 false"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

// readOne waits for something to read and for the queue to be live.
func readOne(t *testing.T, o *Outlet, woken <-chan struct{}) (frames []byte) {
	t.Helper()
	for len(frames) == 0 {
		<-woken
		frames = o.AppendTo(nil, 1<<20)
	}
	return frames
}

func TestASeparateEventComesByNextToo(t *testing.T) {
	h := withStreams(t)
	o, _ := newOutlet(h, nil)
	mustEnter(t, o, "a", Separate{ID: "x"})
	mustEnter(t, o, "a", Separate{})
	mustPublish(t, h, "a", `0`)
	tags := map[string]int{}
	for range 2 {
		message, ok := o.Next()
		if !ok {
			t.Fatal("nothing waits")
		}
		tags[decode(t, message).Tag]++
	}
	if _, ok := o.Next(); ok || tags["x"] != 1 || tags[""] != 1 || o.Pending() {
		t.Errorf("%v, more: %v", tags, ok)
	}
}

// TestSubscriptionsTakeTurns has one with much to say beside others.
func TestSubscriptionsTakeTurns(t *testing.T) {
	h := withStreams(t)
	o, _ := newOutlet(h, nil)
	mustEnter(t, o, "loud", Separate{ID: "loud"})
	for range 3000 {
		mustPublish(t, h, "loud", `"`+strings.Repeat("x", 100)+`"`)
	}
	const quiet = 50
	for i := range quiet {
		mustEnter(t, o, "quiet", Separate{ID: fmt.Sprint("quiet", i)})
	}
	mustPublish(t, h, "quiet", `0`)
	heard := map[string]int{}
	for _, it := range decodeAll(t, o.AppendTo(nil, 64<<10)) {
		heard[it.Tag]++
	}
	if heard["loud"] == 0 || heard["loud"] == 3000 || len(heard) != quiet+1 {
		t.Errorf("one write has %d of the loud one, and %d subscriptions", heard["loud"], len(heard))
	}
	left := 0
	for o.Pending() {
		left += len(decodeAll(t, o.AppendTo(nil, 64<<10)))
	}
	if left+heard["loud"] != 3000 {
		t.Errorf("%d of 3000", left+heard["loud"])
	}
}

func TestSubscriptionsOfAnOutletEnd(t *testing.T) {
	h := withStreams(t)
	o, _ := newOutlet(h, nil)
	plain, _ := mustEnter(t, o, "a", Separate{})
	mustEnter(t, o, "a", Separate{})
	mustEnter(t, o, "a", Separate{ID: "x"})
	mustEnter(t, o, "events.b", Separate{ID: "y"})
	for _, taken := range []string{"x", plain} {
		if _, _, err := o.Subscribe("c", PolicyDropOldest, Separate{ID: taken}); wire.CodeOf(err) != wire.CodeAlreadyExists {
			t.Errorf("a second %s: %v", taken, err)
		}
	}
	patterns := func(ended []Ended) (patterns []string) {
		for _, e := range ended {
			patterns = append(patterns, e.Pattern)
		}
		slices.Sort(patterns)
		return patterns
	}
	if diff := cmp.Diff([]string{"a", "a", "a", "b"}, patterns(o.All())); diff != "" {
		t.Error(diff)
	}
	if ended := o.Unsubscribe(plain); !cmp.Equal(ended, []Ended{{ID: plain, Pattern: "a"}}) || o.Unsubscribe(plain) != nil {
		t.Errorf("by its id: %v", ended)
	}
	if ended := o.UnsubscribePattern("events.a"); len(ended) != 2 {
		t.Errorf("by the pattern: %v", ended)
	}
	if ended := o.Unsubscribe("y"); !cmp.Equal(ended, []Ended{{ID: "y", Pattern: "b"}}) || o.Unsubscribe("nobody") != nil {
		t.Errorf("a separate one: %v", ended)
	}
	if all := o.All(); len(all) > 0 || h.Stats().Subscriptions != 0 {
		t.Errorf("left: %v, %+v", all, h.Stats())
	}
	mustEnter(t, o, "a", Separate{ID: "x"}) // the id is free again
	o.Close()
	o.Close()
	if _, _, err := o.Subscribe("a", PolicyDropOldest, Separate{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a plain one after Close: %v", err)
	}
	if _, _, err := o.Subscribe("a", PolicyDropOldest, Separate{ID: "x"}); !errors.Is(err, ErrClosed) {
		t.Errorf("a separate one after Close: %v", err)
	}
	if st := h.Stats(); st.Subscribers != 0 || st.Subscriptions != 0 {
		t.Errorf("%+v", st)
	}
}

func TestAnOutletHasAsManySubscriptionsAsASubscriber(t *testing.T) {
	h := New(&Options{MaxSubscriptions: 3})
	o, _ := newOutlet(h, nil)
	mustEnter(t, o, "a", Separate{})
	mustEnter(t, o, "a", Separate{ID: "x"})
	mustEnter(t, o, "a", Separate{ID: "y"})
	for _, how := range []Separate{{}, {ID: "z"}} {
		if _, _, err := o.Subscribe("a", PolicyDropOldest, how); wire.CodeOf(err) != wire.CodeQuotaExceeded {
			t.Errorf("%+v: %v", how, err)
		}
	}
	o.Unsubscribe("x")
	mustEnter(t, o, "a", Separate{})
	o.Close()
}

// TestAFarewellSaysWhichSubscriptionWasSlow cuts off a separate one, and then
// the plain ones; the others go on.
func TestAFarewellSaysWhichSubscriptionWasSlow(t *testing.T) {
	h := withStreams(t)
	var ended []string
	losses := 0
	o, _ := newOutlet(h, &OutletOptions{
		QueueMessages: 2,
		OnLoss:        func() { losses++ },
		OnEnd: func(e Ended, err error) {
			ended = append(ended, fmt.Sprint(e.ID, " ", e.Pattern, " ", wire.CodeOf(err)))
		},
	})
	if _, _, err := o.Subscribe("a", PolicyDisconnect, Separate{ID: "strict"}); err != nil {
		t.Fatal(err)
	}
	mustEnter(t, o, "a", Separate{ID: "easy"})
	for range 5 {
		mustPublish(t, h, "a", `0`)
	}
	if diff := cmp.Diff([]string{"strict a SLOW_CONSUMER"}, ended); diff != "" {
		t.Error(diff)
	}
	if losses != 1 {
		t.Errorf("%d times told of a loss", losses)
	}
	var farewells []string
	var events []item
	frames := o.AppendTo(nil, 1<<20)
	for len(frames) > 0 {
		size := int(binary.LittleEndian.Uint32(frames))
		var m wire.Message
		if err := wire.DefaultLimits.Decode(frames[headerSize:headerSize+size], &m); err != nil {
			t.Fatal(err)
		}
		if m.Type == wire.TypeEvent {
			events = append(events, decode(t, frames[headerSize:headerSize+size]))
		} else {
			farewells = append(farewells, fmt.Sprint(string(m.CorrelationID), " ", wire.DecodeError(m.Error).Code))
		}
		frames = frames[headerSize+size:]
	}
	if diff := cmp.Diff([]string{"strict SLOW_CONSUMER"}, farewells); diff != "" {
		t.Error(diff)
	}
	if len(events) != 3 || events[0].Tag != "easy" || events[0].Gap.To != 3 {
		t.Errorf("the other one gets %+v", events)
	}
	ended = nil
	one, _ := mustEnter(t, o, "b", Separate{})
	two, _, _ := o.Subscribe("c", PolicyDisconnect, Separate{})
	for range 5 {
		mustPublish(t, h, "c", `0`)
	}
	slices.Sort(ended)
	want := []string{one + " b SLOW_CONSUMER", two + " c SLOW_CONSUMER"}
	slices.Sort(want)
	if diff := cmp.Diff(want, ended); diff != "" {
		t.Error(diff)
	}
	mustEnter(t, o, "b", Separate{}) // anew
	if all := o.All(); len(all) != 2 {
		t.Errorf("there are %v", all)
	}
	message, ok := o.Next()
	if !ok || !bytes.Contains(message, []byte("SLOW_CONSUMER")) {
		t.Errorf("next is %s", message)
	}
}

// TestNextReturnsEachFarewell takes them one at a time.
func TestNextReturnsEachFarewell(t *testing.T) {
	h := withStreams(t)
	o, _ := newOutlet(h, &OutletOptions{QueueMessages: 1})
	for _, id := range []string{"x", "y", "z"} {
		if _, _, err := o.Subscribe("a", PolicyDisconnect, Separate{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	mustPublish(t, h, "a", `0`)
	mustPublish(t, h, "a", `0`)
	told := map[string]bool{}
	for message, ok := o.Next(); ok; message, ok = o.Next() {
		var m wire.Message
		if err := wire.DefaultLimits.Decode(message, &m); err != nil {
			t.Fatal(err)
		}
		told[string(m.CorrelationID)] = true
	}
	if len(told) != 3 || o.Pending() {
		t.Errorf("told of %v, pending %v", told, o.Pending())
	}
}

func TestWhoNamesEachSubscription(t *testing.T) {
	h := withStreams(t)
	o, _ := newOutlet(h, &OutletOptions{Owner: "me"})
	mustEnter(t, o, "a", Separate{})
	mustEnter(t, o, "b", Separate{ID: "x"})
	mustPublish(t, h, "b", `0`)
	got := map[string]string{}
	for _, l := range h.Who() {
		got[l.Pattern] = fmt.Sprint(l.Owner, l.Queued)
	}
	if diff := cmp.Diff(map[string]string{"a": "me0", "b": "me1"}, got); diff != "" {
		t.Error(diff)
	}
}
