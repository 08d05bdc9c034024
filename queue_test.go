package ipc_test

import (
	"testing"

	"github.com/ekkojs/ipc"
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
