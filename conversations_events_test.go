package ipc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

// hearing is a subscription of a scene's client, with the last event of it.
type hearing struct {
	sub  *ipc.Subscription
	last *ipc.Event
}

// hear1 notes that the client has a subscription of that name.
func (s *scene) hear1(name string, sub *ipc.Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard == nil {
		s.heard = map[string]*hearing{}
	}
	s.heard[name] = &hearing{sub: sub}
}

func (s *scene) hearing(t *testing.T, name string) *hearing {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.heard[name]
	if h == nil {
		t.Fatalf("there is no subscription %q", name)
	}
	return h
}

// next writes down what the subscription gives the program next.
func (h *hearing) next(t *testing.T) string {
	ctx, cancel := context.WithTimeout(t.Context(), tooLong+time.Minute)
	defer cancel()
	e, err := h.sub.Next(ctx)
	if err != nil {
		return outcomeOf(nil, err)
	}
	h.last = e
	text := fmt.Sprintf("%s %d", e.Name, e.Seq)
	if e.Stream != e.Name {
		text += " of " + e.Stream
	}
	if len(e.Data) > 0 {
		text += " " + e.Data.String()
	}
	if e.Snapshot {
		text += ", the state"
	}
	if e.Redelivered {
		text += fmt.Sprintf(", delivered before, %d times in all", max(e.Deliveries, 2))
	}
	if g := e.Gap; g != nil && g.To == 0 {
		text += fmt.Sprintf("; lost from %d on: %s", g.From, g.Reason)
	} else if g != nil {
		text += fmt.Sprintf("; lost %d from %d to %d: %s", g.Count, g.From, g.To, g.Reason)
	}
	return text
}

// settle tells the service what became of the last event.
func (h *hearing) settle(ctx context.Context, verb, what string) error {
	switch verb {
	case "ack":
		return h.last.Ack(ctx)
	case "nak":
		return h.last.Nak(ctx, 0)
	}
	return h.last.Reject(ctx, what)
}

// subscribeOptions reads the options of a subscription as the protocol has
// them.
func subscribeOptions(t *testing.T, text string) *ipc.SubscribeOptions {
	if text == "" {
		return nil
	}
	var w struct {
		From                           json.RawMessage
		Filter, Group, Durable, OnSlow string
		Credit, AckWaitMs, Queue       int
	}
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	o := &ipc.SubscribeOptions{Filter: w.Filter, Group: w.Group, Durable: w.Durable, Credit: w.Credit, Queue: w.Queue,
		AckWait: time.Duration(w.AckWaitMs) * time.Millisecond, Disconnect: w.OnSlow == "disconnect"}
	var at struct {
		Epoch string
		Seq   uint64
	}
	switch string(w.From) {
	case "":
	case `"first"`:
		o.From = ipc.FromFirst()
	case `"last"`:
		o.From = ipc.FromLast()
	case `"snapshot"`:
		o.From = ipc.FromSnapshot()
	default:
		if err := json.Unmarshal(w.From, &at); err != nil {
			t.Fatalf("%s: %v", w.From, err)
		}
		o.From = ipc.FromSeq(at.Epoch, at.Seq)
	}
	return o
}

// receiptText writes down a receipt.
func receiptText(r *ipc.Receipt) ipc.Raw {
	if r == nil {
		return nil
	}
	text := fmt.Sprintf("%s %d", r.Stream, r.Seq)
	if r.Duplicate {
		text += ", as before"
	}
	return ipc.Raw(text)
}
