package ipc_test

import (
	"sync"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/observe"
)

// TestPublishReturnsWhenItIsKept though the client knows an address only, and
// asks once what the service promises, however many publish.
func TestPublishReturnsWhenItIsKept(t *testing.T) {
	m := parse(t, `{"service": {"name": "jobs", "version": "1.0.0"}, "events": {"tick": {}}, "channels": {"work": {"type": "queue"}}}`)
	s := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet})
	address := serve(t, s)
	sent := make(chan string, 100)
	tap := &observe.Tap{}
	defer tap.Listen(func(e *observe.Event) {
		if e.Direction == observe.Sent {
			sent <- string(e.Frame)
		}
	})()
	c := dial(t, address, &ipc.ClientOptions{Tap: tap})
	const n = 20
	var publishing sync.WaitGroup
	for range n {
		publishing.Go(func() {
			for _, event := range []string{"tick", "work"} {
				if err := c.Publish(t.Context(), event, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishing.Wait()
	if next := s.Next("work"); next.Seq != n+1 {
		t.Errorf("after %d events the next one is %d", n, next.Seq)
	}
	if len(sent) != 1+2*n {
		t.Errorf("%d messages were sent", len(sent))
	}
	c.Close()
	if err := c.Publish(t.Context(), "work", 1); ipc.CodeOf(err) != ipc.CodeConnectionLost {
		t.Errorf("by a closed client: %v", err)
	}
}

// TestAnEventThatIsKeptIsSentAgain by a client that knows an address only.
func TestAnEventThatIsKeptIsSentAgain(t *testing.T) {
	address, s := startStreams(t, nil)
	r := newRelay(t, address)
	c := dial(t, r.address, nil)
	if _, err := c.PublishWith(t.Context(), "order.made", 0, nil); err != nil {
		t.Fatal(err)
	}
	r.set(func() { r.stopped = true }) // the receipt is held back
	published := make(chan error, 1)
	go func() {
		_, err := c.PublishWith(t.Context(), "order.made", 1, nil)
		published <- err
	}()
	for s.Next("orders").Seq < 3 {
	}
	r.cut()
	r.set(func() { r.stopped = false })
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	if next := s.Next("orders").Seq; next != 3 {
		t.Errorf("the next one is %d: it was doubled", next)
	}
}
