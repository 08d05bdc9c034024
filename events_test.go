package ipc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ekkojs/ipc"
)

func TestEventsReachTheirSubscribers(t *testing.T) {
	address, s := start(t, nil)
	one, all := dial(t, address, nil), dial(t, address, nil)
	created, err := one.Subscribe(t.Context(), "user.created", nil)
	if err != nil {
		t.Fatal(err)
	}
	everything, err := all.Subscribe(t.Context(), "**", nil)
	if err != nil {
		t.Fatal(err)
	}
	here, err := s.Subscribe("user.*", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	if err := s.Publish(t.Context(), "user.updated", map[string]any{"id": 1}); err != nil {
		t.Fatal(err)
	}
	if err := one.Publish(t.Context(), "user.created", map[string]any{"id": 2}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		sub  *ipc.Subscription
		want []string
	}{
		{"literal", created, []string{`user.created {"id":2} 1`}},
		{"everything", everything, []string{`user.updated {"id":1} 1`, `user.created {"id":2} 1`}},
		{"within the service", here, []string{`user.updated {"id":1} 1`, `user.created {"id":2} 1`}},
	} {
		for _, want := range x.want {
			e, err := x.sub.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%s %s %d", e.Name, e.Data, e.Seq); got != want {
				t.Errorf("%s: got %s, want %s", x.name, got, want)
			}
			if e.Gap != nil || e.ID == "" || e.Time.IsZero() || e.Channel != "events."+e.Name {
				t.Errorf("%s: %+v", x.name, e)
			}
		}
	}
}

func TestOneConnectionManySubscriptions(t *testing.T) {
	address, s := start(t, nil)
	c := dial(t, address, nil)
	var subs []*ipc.Subscription
	for _, pattern := range []string{"user.created", "user.*", "**", "user.created"} {
		sub, err := c.Subscribe(t.Context(), pattern, nil)
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, sub)
	}
	for i := range 3 {
		s.Publish(t.Context(), "user.created", map[string]any{"id": i})
	}
	for _, sub := range subs {
		for i := range 3 {
			e, err := sub.Next(t.Context())
			if err != nil || e.Data.String() != fmt.Sprintf(`{"id":%d}`, i) || e.Gap != nil {
				t.Errorf("%s: got %v, %v", sub.Pattern(), e, err)
			}
		}
	}
}

func TestSubscriptionEnds(t *testing.T) {
	address, s := start(t, nil)
	c := dial(t, address, nil)
	sub, err := c.Subscribe(t.Context(), "user.*", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Publish(t.Context(), "user.updated", 1)
	for e, err := range sub.All(t.Context()) {
		if err != nil || e.Name != "user.updated" {
			t.Fatalf("got %v, %v", e, err)
		}
		break // leaves the loop, and closes
	}
	if _, err := sub.Next(t.Context()); !errors.Is(err, ipc.ErrClosed) {
		t.Errorf("got %v", err)
	}
	stats, err := ipc.Call[struct {
		Subscriptions int `json:"subscriptions"`
	}](t.Context(), c, "ipc.stats")
	if err != nil || stats.Subscriptions != 0 {
		t.Errorf("the service counts %+v, %v", stats, err)
	}
}

func TestWhatTheManifestDoesNotDeclareIsRefused(t *testing.T) {
	address, s := start(t, nil)
	refused := make(chan error, 10)
	c := dial(t, address, &ipc.ClientOptions{OnError: func(err error) { refused <- err }})
	if _, err := c.Subscribe(t.Context(), "user.createt", nil); ipc.CodeOf(err) != ipc.CodeChannelNotFound {
		t.Errorf("subscribe: %v", err)
	}
	if _, err := c.Subscribe(t.Context(), "user.cr*", nil); ipc.CodeOf(err) != "INVALID_PATTERN" {
		t.Errorf("subscribe: %v", err)
	}
	if err := s.Publish(t.Context(), "nobody.knows", 1); ipc.CodeOf(err) != ipc.CodeChannelNotFound {
		t.Errorf("publish: %v", err)
	}
	if err := s.Publish(t.Context(), "user.created", map[string]any{"id": "x"}); ipc.CodeOf(err) != ipc.CodeSchemaMismatch {
		t.Errorf("publish: %v", err)
	}
	for _, x := range []struct {
		event string
		data  any
		code  ipc.Code
	}{
		{"nobody.knows", 1, ipc.CodeChannelNotFound},
		{"user.created", map[string]any{"id": "x"}, ipc.CodeSchemaMismatch},
	} {
		if err := c.Publish(t.Context(), x.event, x.data); err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-refused:
			if ipc.CodeOf(err) != x.code {
				t.Errorf("%s: got %v, want %s", x.event, err, x.code)
			}
		default:
			t.Errorf("%s: nobody was told by the time Flush returned", x.event)
		}
	}
}

// TestASlowReaderLearnsWhatItMissed checks that delivered and announced as
// missing make up everything published.
func TestASlowReaderLearnsWhatItMissed(t *testing.T) {
	address, s := start(t, nil)
	c := dial(t, address, nil)
	sub, err := c.Subscribe(t.Context(), "user.updated", &ipc.SubscribeOptions{Queue: 10})
	if err != nil {
		t.Fatal(err)
	}
	const published = 20000
	for i := range published {
		if err := s.Publish(t.Context(), "user.updated", i); err != nil {
			t.Fatal(err)
		}
	}
	var next uint64 = 1
	for next <= published {
		e, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Gap != nil {
			if e.Gap.From != next || e.Gap.Reason != ipc.GapSlowConsumer {
				t.Fatalf("gap %+v before %d, after %d", e.Gap, e.Seq, next-1)
			}
			next = e.Gap.To + 1
		}
		if e.Seq != next || e.Data.String() != fmt.Sprint(next-1) {
			t.Fatalf("got event %d with %s, expected %d", e.Seq, e.Data, next)
		}
		next++
	}
}

func TestSubscriptionSurvivesARestart(t *testing.T) {
	address := localAddress(t)
	first := newFixture(&ipc.ServiceOptions{Logger: quiet})
	stop := serveAt(t, first, address)
	c := dial(t, address, nil)
	sub, err := c.Subscribe(t.Context(), "user.updated", nil)
	if err != nil {
		t.Fatal(err)
	}
	first.Publish(t.Context(), "user.updated", "before")
	if e, err := sub.Next(t.Context()); err != nil || e.Data.String() != `"before"` {
		t.Fatalf("got %v, %v", e, err)
	}
	stop()

	second := newFixture(&ipc.ServiceOptions{Logger: quiet})
	t.Cleanup(serveAt(t, second, address))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // until it is heard: when the subscription is back is not known here
		for ctx.Err() == nil {
			second.Publish(ctx, "user.updated", "after")
		}
	}()
	e, err := sub.Next(t.Context())
	if err != nil || e.Data.String() != `"after"` {
		t.Fatalf("got %v, %v", e, err)
	}
	if e.Gap == nil || e.Gap.Reason != ipc.GapRestarted {
		t.Errorf("the gap is %+v", e.Gap)
	}
}

func TestPublishedBeforeCloseArrives(t *testing.T) {
	address, s := start(t, nil)
	sub, err := s.Subscribe("order.completed", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	const n = 1000
	c, err := ipc.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := c.Publish(t.Context(), "order.completed", i); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	for i := range n {
		if e, err := sub.Next(t.Context()); err != nil || e.Data.String() != fmt.Sprint(i) {
			t.Fatalf("event %d: %v, %v", i, e, err)
		}
	}
}

// TestWhatIsRefusedHereSaysSo: nobody has been asked, and no service is to
// blame.
func TestWhatIsRefusedHereSaysSo(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, nil)
	for pattern, x := range map[string]struct {
		filter string
		code   ipc.Code
	}{
		"user.*":  {"total >", ipc.CodeInvalidArgument},
		"user.c*": {"", "INVALID_PATTERN"},
	} {
		_, err := c.Subscribe(t.Context(), pattern, &ipc.SubscribeOptions{Filter: x.filter})
		e, ok := errors.AsType[*ipc.Error](err)
		if !ok || e.Code != x.code || e.Details.Origin != "client" || e.Details.Executed != ipc.ExecutedNo {
			t.Errorf("%s: %+v", pattern, err)
		}
	}
}
