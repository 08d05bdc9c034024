package ipc_test

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
)

// TestAQueueBehindAnAddress is read by a client that has no manifest to know
// it by.
func TestAQueueBehindAnAddress(t *testing.T) {
	m := parse(t, `{"service": {"name": "jobs", "version": "1.0.0"}, "channels": {"work": {"type": "queue"}}}`)
	address := serve(t, ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet}))
	c := dial(t, address, nil)
	if _, err := c.PublishWith(t.Context(), "work", "one", nil); err != nil {
		t.Fatal(err)
	}
	sub := mustSubscribe(t, c, "work", nil)
	e := mustNext(t, sub)
	if err := e.Nak(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if e = mustNext(t, sub); e.Data.String() != `"one"` || e.Deliveries != 2 || !e.Redelivered {
		t.Errorf("got %+v", e)
	}
	if err := e.Ack(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Ack(t.Context()); ipc.CodeOf(err) != ipc.CodeNotFound {
		t.Errorf("a second time: %v", err)
	}
	who, err := c.Who(t.Context())
	if err != nil || len(who) != 1 || who[0].Group != ipc.DefaultGroup {
		t.Errorf("listening are %+v, %v", who, err)
	}
}

// TestAGroupWhosePlaceIsLost is opened by a service whose store has lost what
// it kept of a durable subscription: the service starts and tells its
// operator, and the subscriber gets everything once more.
func TestAGroupWhosePlaceIsLost(t *testing.T) {
	kept := store.NewMemory()
	l, err := kept.Log("orders", store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		l.Append(store.Record{Name: "orders", Data: fmt.Append(nil, i)}, func(store.Receipt) {})
	}
	if err := l.SetCursor("group/audit", []byte{}); err != nil {
		t.Fatal(err)
	}
	m := parse(t, `{"service": {"name": "shop", "version": "1.0.0"}, "channels": {"orders": {"persistent": true}}}`)
	said := &logged{}
	s := ipc.NewService(m, &ipc.ServiceOptions{Logger: slog.New(slog.NewTextHandler(said, nil)), Store: kept})
	c := dial(t, serve(t, s), nil)
	if text := said.String(); !strings.Contains(text, "code=DATA_LOSS channel=orders group=audit") {
		t.Errorf("the operator is told %q", text)
	}
	sub := mustSubscribe(t, c, "orders", &ipc.SubscribeOptions{Durable: "audit"})
	for i := range 3 {
		e := mustNext(t, sub)
		if e.Data.String() != fmt.Sprint(i) || !e.Redelivered {
			t.Errorf("event %d: %+v", i, e)
		}
		if err := e.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Subscribe(t.Context(), "orders", &ipc.SubscribeOptions{Group: "audit"}); ipc.CodeOf(err) != ipc.CodeConflict {
		t.Errorf("it is a group of several now: %v", err)
	}
}

// TestWhoWantsOneMessageTakesOne acknowledges it, and the next one is for
// others, who are the first to see it.
func TestWhoWantsOneMessageTakesOne(t *testing.T) {
	m := parse(t, `{"service": {"name": "jobs", "version": "1.0.0"}, "channels": {"work": {"type": "queue"}}}`)
	s := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet})
	c := dial(t, serve(t, s), nil)
	const n = 20
	for i := range n {
		mustPublish(t, s, "work", i)
	}
	subscribe := map[bool]func(*ipc.SubscribeOptions) *ipc.Subscription{
		false: func(o *ipc.SubscribeOptions) *ipc.Subscription { return mustSubscribe(t, c, "work", o) },
		true: func(o *ipc.SubscribeOptions) *ipc.Subscription {
			sub, err := s.Subscribe("work", o)
			if err != nil {
				t.Fatal(err)
			}
			return sub
		},
	}
	for i := range n {
		sub := subscribe[i%2 == 0](&ipc.SubscribeOptions{Limit: 1})
		e := mustNext(t, sub)
		if e.Data.String() != strconv.Itoa(i) || e.Redelivered {
			t.Errorf("message %d is %+v", i, e)
		}
		if e, err := sub.Next(t.Context()); err != ipc.ErrClosed {
			t.Fatalf("after the last one: %+v, %v", e, err)
		}
		if err := e.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(t.Context()); err != nil { // what would be delivered is
			t.Fatal(err)
		}
		if i%3 == 0 {
			sub.Close() // the others stay, and take nothing
		}
	}
}

// TestALimitHoldsOverALostConnection, and for those who share nothing.
func TestALimitHoldsOverALostConnection(t *testing.T) {
	address, s := startStreams(t, nil)
	r := newRelay(t, address)
	c, observer := dial(t, r.address, nil), dial(t, address, nil)
	sub := mustSubscribe(t, c, "orders", &ipc.SubscribeOptions{Limit: 3})
	mustPublish(t, s, "order.made", 1)
	mustNext(t, sub)
	r.set(func() { r.closed = true })
	r.cut()
	until(t, observer, 0)
	r.set(func() { r.closed = false })
	until(t, observer, 1)
	for i := range 5 {
		mustPublish(t, s, "order.made", i+2)
	}
	n := 1
	for e, err := range sub.All(t.Context()) {
		if n++; err != nil || e.Data.String() != strconv.Itoa(n) {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	if n != 3 {
		t.Errorf("%d came", n)
	}
	until(t, observer, 0)
}
