package ipc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ekkojs/ipc"
)

func TestAReceiptSaysWhoGotTheEvent(t *testing.T) {
	address, s := startStreams(t, nil)
	r := newRelay(t, address)
	quick, slow := dial(t, address, nil), dial(t, r.address, nil)
	publish := func(event, id string) ipc.Receipt {
		t.Helper()
		receipt, err := s.PublishWith(t.Context(), event, "data", &ipc.PublishOptions{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return *receipt
	}
	unlessChance := cmpopts.IgnoreFields(ipc.Receipt{}, "Epoch", "Behind")
	expect := func(got, want ipc.Receipt) {
		t.Helper()
		if diff := cmp.Diff(want, got, unlessChance); diff != "" || got.Epoch == "" {
			t.Errorf("%s, epoch %q", diff, got.Epoch)
		}
	}
	expect(publish("tick", ""), ipc.Receipt{Stream: "tick", Seq: 1})
	for range 2 { // which share each event
		mustSubscribe(t, quick, "*", nil)
	}
	mustSubscribe(t, slow, "*", nil)
	expect(publish("tick", ""), ipc.Receipt{Stream: "tick", Seq: 2, Receivers: 2})

	// Without a dedupe window an ID is a name and no more.
	expect(publish("tick", "the same event"), ipc.Receipt{Stream: "tick", Seq: 3, Receivers: 2})
	expect(publish("tick", "the same event"), ipc.Receipt{Stream: "tick", Seq: 4, Receivers: 2})

	orders := mustSubscribe(t, quick, "orders", nil)
	expect(publish("order.made", "the same order"), ipc.Receipt{Stream: "orders", Seq: 1, Receivers: 1})
	expect(publish("order.paid", "another order"), ipc.Receipt{Stream: "orders", Seq: 2, Receivers: 1})
	expect(publish("order.made", "the same order"), ipc.Receipt{Stream: "orders", Seq: 1, Duplicate: true})
	expect(publish("order.made", ""), ipc.Receipt{Stream: "orders", Seq: 3, Receivers: 1})
	for i, id := range []string{"the same order", "another order", ""} {
		if e := mustNext(t, orders); e.Seq != uint64(i+1) || id != "" && e.ID != id {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	for _, id := range []string{"short", string(make([]byte, 129))} {
		if _, err := s.PublishWith(t.Context(), "tick", 1, &ipc.PublishOptions{ID: id}); ipc.CodeOf(err) != ipc.CodeInvalidArgument {
			t.Errorf("an ID of %d bytes: %v", len(id), err)
		}
	}
}

// TestAReceiptSaysWhoIsBehind keeps events from a subscriber.
func TestAReceiptSaysWhoIsBehind(t *testing.T) {
	address, s := startStreams(t, nil)
	r := newRelay(t, address)
	mustSubscribe(t, dial(t, r.address, nil), "tick", nil)
	r.set(func() { r.stopped = true })
	long := string(make([]byte, 1000))
	for {
		receipt, err := s.PublishWith(t.Context(), "tick", long, nil)
		if err != nil || receipt.Receivers != 1 {
			t.Fatalf("%+v, %v", receipt, err)
		}
		if receipt.Behind == 1 {
			return
		}
	}
}

func TestWhatOnlyTheServicePublishes(t *testing.T) {
	address, s := startStreams(t, nil)
	refused := make(chan error, 10)
	c := dial(t, address, &ipc.ClientOptions{OnError: func(err error) { refused <- err }})
	for _, event := range []string{"secret", "notices"} {
		sub := mustSubscribe(t, c, event, nil)
		if err := c.Publish(t.Context(), event, 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-refused; ipc.CodeOf(err) != ipc.CodePermissionDenied {
			t.Errorf("%s: %v", event, err)
		}
		if err := c.SetWill(t.Context(), event, 1); ipc.CodeOf(err) != ipc.CodePermissionDenied {
			t.Errorf("%s as a will: %v", event, err)
		}
		mustPublish(t, s, event, 2)
		if e := mustNext(t, sub); e.Data.String() != "2" || e.Seq != 1 {
			t.Errorf("%s: %+v", event, e)
		}
	}
}

// TestWhatAClientPublishesIsKept has receipts of a client's events come after
// they are kept, and Flush after all of them.
func TestWhatAClientPublishesIsKept(t *testing.T) {
	address, s := startStreams(t, nil)
	c := dial(t, address, nil)
	const n = 500
	for i := range n {
		if err := c.Publish(t.Context(), "order.made", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next := s.Next("orders"); next.Seq != n+1 {
		t.Errorf("after Flush the next one is %+v", next)
	}
	for i, want := range []ipc.Receipt{
		{Stream: "orders", Seq: n + 1},
		{Stream: "orders", Seq: n + 1, Duplicate: true},
	} {
		got, err := c.PublishWith(t.Context(), "order.paid", i, &ipc.PublishOptions{ID: "the same order"})
		if err != nil {
			t.Fatal(err)
		}
		if want.Epoch = s.Next("orders").Epoch; *got != want {
			t.Errorf("receipt %+v, want %+v", got, want)
		}
	}
	sub := mustSubscribe(t, c, "tick", nil)
	if r, err := c.PublishWith(t.Context(), "tick", 1, &ipc.PublishOptions{ID: "chosen by me"}); err != nil || r.Seq != 1 || r.Receivers != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if e := mustNext(t, sub); e.ID != "chosen by me" {
		t.Errorf("%+v", e)
	}
	for event, code := range map[string]ipc.Code{"secret": ipc.CodePermissionDenied, "nobody.knows": ipc.CodeChannelNotFound} {
		if _, err := c.PublishWith(t.Context(), event, 1, nil); ipc.CodeOf(err) != code {
			t.Errorf("%s: %v", event, err)
		}
	}
}

// TestAFloodOfWhatIsKeptInMemory is published as fast as it goes, and nobody
// waits for any of it: nothing is refused for that.
func TestAFloodOfWhatIsKeptInMemory(t *testing.T) {
	address, s := startStreams(t, nil)
	refused := make(chan error, 1)
	c := dial(t, address, &ipc.ClientOptions{OnError: func(err error) {
		select {
		case refused <- err:
		default:
		}
	}})
	const n = 50_000
	for i := range n {
		if err := c.Publish(t.Context(), "order.made", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-refused:
		t.Error(err)
	default:
	}
	if next := s.Next("orders"); next.Seq != n+1 {
		t.Errorf("after Flush the next one is %+v", next)
	}
}
