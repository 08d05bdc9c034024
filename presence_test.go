package ipc_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/store"
)

func TestWhoIsSubscribed(t *testing.T) {
	address, s := startStreams(t, nil)
	c := dial(t, address, nil)
	mustSubscribe(t, c, "tick", nil)
	mustSubscribe(t, c, "order.*", &ipc.SubscribeOptions{From: ipc.FromFirst()})
	here, err := s.Subscribe("gone", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	who, err := c.Who(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range who {
		if l.Subscription == "" || l.Known && (!isMe(l.Known, l.UID, l.SID) || l.Exe == "" && runtime.GOOS == "linux") {
			t.Errorf("%+v", l)
		}
		got = append(got, fmt.Sprint(l.Pattern, " ", l.Known, " ", l.PID))
	}
	slices.Sort(got)
	want := []string{"gone false 0", fmt.Sprint("order.* true ", pid()), fmt.Sprint("tick true ", pid())}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// presence returns what the next event of presence says.
func presence(t *testing.T, sub *ipc.Subscription) string {
	t.Helper()
	var l ipc.Listener
	e := mustNext(t, sub)
	if err := e.Decode(&l); err != nil || e.Name != "ipc.presence" || l.PID != int32(pid()) || l.Subscription == "" {
		t.Errorf("%+v with %s, %v", e, e.Data, err)
	}
	return l.Kind + " " + l.Pattern
}

func TestPresence(t *testing.T) {
	address, s := startStreams(t, nil)
	watcher, c := dial(t, address, nil), dial(t, address, nil)
	all := mustSubscribe(t, watcher, "**", nil)
	sub := mustSubscribe(t, watcher, "ipc.presence", nil)
	here, err := s.Subscribe("ipc.presence", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	one := mustSubscribe(t, c, "tick", nil)
	two := mustSubscribe(t, c, "order.*", &ipc.SubscribeOptions{From: ipc.FromFirst()})
	one.Close()
	two.Close()
	mustSubscribe(t, c, "gone", nil)
	c.Close()
	want := []string{"join tick", "join order.*", "leave tick", "leave order.*", "join gone", "leave gone"}
	for name, sub := range map[string]*ipc.Subscription{"a client": sub, "the service": here} {
		for i, want := range append([]string{"join ipc.presence"}, want...) {
			if i == 0 && sub == here {
				continue // it came later
			}
			if got := presence(t, sub); got != want {
				t.Errorf("%s hears %s instead of %s", name, got, want)
			}
		}
	}
	mustPublish(t, s, "tick", 1)
	if e := mustNext(t, all); e.Name != "tick" {
		t.Errorf("a pattern hears %+v", e)
	}
	refused := make(chan error, 1)
	liar := dial(t, address, &ipc.ClientOptions{OnError: func(err error) { refused <- err }})
	liar.Publish(t.Context(), "ipc.presence", 1)
	if err := <-refused; ipc.CodeOf(err) != ipc.CodeChannelNotFound {
		t.Errorf("a client publishes presence: %v", err)
	}
}

// TestPresenceTellsOfGroups has members of a group, and a durable subscription
// that another one of its name ends.
func TestPresenceTellsOfGroups(t *testing.T) {
	m := parse(t, `{"service": {"name": "shop", "version": "1.0.0"}, "events": {"order.made": {}},
		"channels": {"work": {"type": "queue"}, "orders": {"persistent": true, "events": ["order.*"]}}}`)
	s := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet, Store: store.NewMemory()})
	address := serve(t, s)
	watcher, c := dial(t, address, nil), dial(t, address, nil)
	sub := mustSubscribe(t, watcher, "ipc.presence", nil)
	mustSubscribe(t, c, "work", nil).Close()
	mustSubscribe(t, c, "order.made", &ipc.SubscribeOptions{Group: "books"}).Close()
	mustSubscribe(t, c, "orders", &ipc.SubscribeOptions{Durable: "audit"})
	newer := mustSubscribe(t, c, "orders", &ipc.SubscribeOptions{Durable: "audit"})
	who, err := watcher.Who(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range who {
		if l.Pattern == "orders" && (l.Group != "audit" || !l.Durable) {
			t.Errorf("who: %+v", l)
		}
	}
	var got []string
	for range 9 {
		var l ipc.Listener
		if err := mustNext(t, sub).Decode(&l); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(l.Kind, " ", l.Pattern, " ", l.Group, " ", l.Durable))
		if len(got) == 8 { // the older one's end is told by and by
			newer.Close()
		}
	}
	// Its own coming may be told after what comes soon after it.
	const own = "join ipc.presence  false"
	if i := slices.Index(got, own); i >= 0 {
		got = append([]string{own}, slices.Delete(got, i, i+1)...)
	}
	slices.Sort(got[6:8]) // the newer one may come before or after the older one goes
	want := []string{
		own,
		"join work default false", "leave work default false",
		"join order.made books order.made false", "leave order.made books order.made false",
		"join orders audit true", "join orders audit true", "leave orders audit true", "leave orders audit true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAWillAloneIsRenewed has a client that subscribes to nothing.
func TestAWillAloneIsRenewed(t *testing.T) {
	address, s := startStreams(t, nil)
	gone, err := s.Subscribe("gone", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	sent := make(chan struct{}, 10)
	tap := &observe.Tap{}
	defer tap.Listen(func(e *observe.Event) {
		if e.Direction == observe.Sent && bytes.Contains(e.Frame, []byte(`"ipc.will"`)) {
			sent <- struct{}{}
		}
	})()
	r := newRelay(t, address)
	c := dial(t, r.address, &ipc.ClientOptions{Tap: tap})
	if err := c.SetWill(t.Context(), "gone", 1); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-sent
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.cut()
		if e := mustNext(t, gone); e.Data.String() != "1" {
			t.Errorf("got %s", e.Data)
		}
	}
}

// TestAWill is executed for a client that is cut off, and for no other.
func TestAWill(t *testing.T) {
	address, s := startStreams(t, nil)
	gone, err := s.Subscribe("gone", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	leave := func(data any) (*ipc.Client, *relay) {
		t.Helper()
		r := newRelay(t, address)
		c := dial(t, r.address, nil)
		if err := c.SetWill(t.Context(), "gone", data); err != nil {
			t.Fatal(err)
		}
		return c, r
	}
	closed, _ := leave("closed")
	closed.Close()
	withdrawn, r := leave("withdrawn")
	if err := withdrawn.SetWill(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	r.set(func() { r.closed = true })
	r.cut()
	replaced, r := leave("replaced")
	if err := replaced.SetWill(t.Context(), "gone", "cut"); err != nil {
		t.Fatal(err)
	}
	mustSubscribe(t, replaced, "tick", nil)
	observer := dial(t, address, nil)
	for range 3 { // renewed with each connection, before the subscription
		r.cut()
		if e := mustNext(t, gone); e.Data.String() != `"cut"` {
			t.Fatalf("got %s", e.Data)
		}
		until(t, observer, 2)
	}
	replaced.Close()
	until(t, observer, 1)
	mustPublish(t, s, "gone", "last")
	if e := mustNext(t, gone); e.Data.String() != `"last"` {
		t.Errorf("got %s", e.Data)
	}
	for event, code := range map[string]ipc.Code{"nobody.knows": ipc.CodeChannelNotFound, "gone.": "INVALID_NAME"} {
		if err := dial(t, address, nil).SetWill(t.Context(), event, 1); ipc.CodeOf(err) != code {
			t.Errorf("%s: %v", event, err)
		}
	}
}

// TestAWillIsForClientsThatGo, and not for a service that does.
func TestAWillIsForClientsThatGo(t *testing.T) {
	address, s := startStreams(t, nil)
	gone, err := s.Subscribe("gone", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, address, nil)
	if err := c.SetWill(t.Context(), "gone", 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e, err := gone.Next(t.Context()); err != ipc.ErrClosed {
		t.Errorf("got %v, %v", e, err)
	}
}
