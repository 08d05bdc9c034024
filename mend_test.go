package ipc_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/observe"
)

const seatsText = `{
  "service": {"name": "seats", "version": "1.0.0"},
  "events": {"tick": {}},
  "channels": {"seats": {"maxSubscribers": 1}}
}`

// refusals returns a tap, and tells of each QUOTA_EXCEEDED that comes by it.
func refusals(t *testing.T) (tap *observe.Tap, refused chan struct{}) {
	refused = make(chan struct{}, 1000)
	tap = &observe.Tap{}
	t.Cleanup(tap.Listen(func(e *observe.Event) {
		if e.Direction == observe.Received && bytes.Contains(e.Frame, []byte("QUOTA_EXCEEDED")) {
			refused <- struct{}{}
		}
	}))
	return tap, refused
}

// TestAPlaceThatIsTakenIsWaitedFor has somebody else on the place of a
// subscriber that comes back, as its own lost connection may be.
func TestAPlaceThatIsTakenIsWaitedFor(t *testing.T) {
	s := ipc.NewService(parse(t, seatsText), &ipc.ServiceOptions{Logger: quiet})
	address := serve(t, s)
	r := newRelay(t, address)
	tap, refused := refusals(t)
	c, observer := dial(t, r.address, &ipc.ClientOptions{Tap: tap}), dial(t, address, nil)
	seat, tick := mustSubscribe(t, c, "seats", nil), mustSubscribe(t, c, "tick", nil)
	mustPublish(t, s, "seats", 1)
	mustNext(t, seat)
	r.set(func() { r.closed = true })
	r.cut()
	until(t, observer, 0)
	other := mustSubscribe(t, observer, "seats", nil)
	r.set(func() { r.closed = false })
	for range 2 {
		<-refused
	}
	until(t, observer, 2)
	mustPublish(t, s, "tick", 1) // the other one is back
	mustNext(t, tick)
	mustPublish(t, s, "seats", 2)
	other.Close()
	until(t, observer, 2)
	mustPublish(t, s, "seats", 3)
	e := mustNext(t, seat)
	if e.Data.String() != "3" || e.Gap == nil || *e.Gap != (ipc.Gap{From: 2, To: 2, Count: 1, Reason: ipc.GapLost}) {
		t.Errorf("%+v with the gap %+v", e, e.Gap)
	}
}

// TestAPlaceIsNotWaitedForForEver but for a minute.
func TestAPlaceIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		address, accept := listenBadly(t)
		tries := make(chan time.Time, 1000)
		go func() {
			b := accept()
			b.answer(b.asked(), `{"subscription":"s1","from":{"epoch":"e","seq":1}}`)
			b.say(`{"type":"event","messageId":"x","channel":"events.seats.one","data":1,"metadata":{"epoch":"e","seq":1}}`)
			b.conn.Close()
			for b = accept(); ; {
				m, err := b.hear()
				if err != nil {
					return
				}
				tries <- time.Now()
				b.say(`{"type":"response","error":{"code":"QUOTA_EXCEEDED","message":"full"},"correlationId":%q}`, m.MessageID)
			}
		}()
		c := dial(t, address, nil)
		seat := mustSubscribe(t, c, "seats.*", nil)
		if first := <-tries; mustNext(t, seat).Seq != 1 || time.Since(first) != 0 {
			t.Errorf("what came before is held back for %s", time.Since(first))
		}
		first := <-tries
		if _, err := seat.Next(t.Context()); ipc.CodeOf(err) != "QUOTA_EXCEEDED" {
			t.Errorf("it ends with %v", err)
		}
		if took := time.Since(first); took > time.Minute || took < time.Minute-time.Second || len(tries) < 5 {
			t.Errorf("it was tried %d times more in %s", len(tries), took)
		}
	})
}

// TestSubscriptionsShareAgain after a lost connection, as they did before:
// each event comes once, however many it is for.
func TestSubscriptionsShareAgain(t *testing.T) {
	address, s := startStreams(t, nil)
	r := newRelay(t, address)
	marks, events := make(chan struct{}, 100), make(chan struct{}, 1000)
	tap := &observe.Tap{}
	defer tap.Listen(func(e *observe.Event) {
		switch {
		case e.Direction != observe.Received:
		case bytes.Contains(e.Frame, []byte(`"channel":"ipc.plain"`)):
			marks <- struct{}{}
		case bytes.Contains(e.Frame, []byte(`"channel":"events.`)):
			events <- struct{}{}
		}
	})()
	c, observer := dial(t, r.address, &ipc.ClientOptions{Tap: tap}), dial(t, address, nil)
	var subs []*ipc.Subscription
	for _, pattern := range []string{"orders", "order.*", "order.made", "**"} {
		subs = append(subs, mustSubscribe(t, c, pattern, nil))
	}
	for range 2 { // those whose name could be a queue's
		<-marks
	}
	seq := 0
	hear := func(frames int) {
		t.Helper()
		const n = 10
		for range n {
			mustPublish(t, s, "order.made", 1)
		}
		for _, sub := range subs {
			for i := range n {
				if e := mustNext(t, sub); e.Seq != uint64(seq+i+1) || e.Gap != nil {
					t.Fatalf("%s: %+v with the gap %+v", sub.Pattern(), e, e.Gap)
				}
			}
		}
		for range n * frames {
			<-events
		}
		if len(events) > 0 {
			t.Errorf("%d frames too many", len(events))
		}
		seq += n
	}
	hear(1)
	for range 3 {
		r.set(func() { r.closed = true })
		r.cut()
		until(t, observer, 0)
		for range 5 {
			mustPublish(t, s, "order.made", 1) // comes four times: each goes on by itself
		}
		r.set(func() { r.closed = false })
		for range len(subs) {
			<-marks
		}
		for _, sub := range subs {
			for i := range 5 {
				if e := mustNext(t, sub); e.Seq != uint64(seq+i+1) || e.Gap != nil {
					t.Fatalf("%s: %+v with the gap %+v", sub.Pattern(), e, e.Gap)
				}
			}
		}
		for range 5 * len(subs) {
			<-events
		}
		seq += 5
		hear(1)
	}
	until(t, observer, len(subs))
	for i, sub := range subs {
		sub.Close()
		until(t, observer, len(subs)-1-i)
	}
}
