package ipc_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

const streamsText = `{
  "service": {"name": "streams", "version": "1.0.0", "transport": {"type": "auto", "address": "streams"}},
  "methods": {},
  "events": {"order.made": {}, "order.paid": {}, "tick": {}, "secret": {"publish": "service"}, "gone": {}},
  "channels": {
    "orders": {"type": "topic", "events": ["order.*"], "retention": {"maxMessages": 100000}},
    "state": {"type": "topic", "last": true},
    "strict": {"type": "topic", "onSlow": "disconnect"},
    "notices": {"type": "topic", "publish": "service"}
  }
}`

// startStreams serves channels of every kind.
func startStreams(t testing.TB, opts *ipc.ServiceOptions) (address string, s *ipc.Service) {
	t.Helper()
	s = newStreams(t, opts)
	return serve(t, s), s
}

func newStreams(t testing.TB, opts *ipc.ServiceOptions) *ipc.Service {
	t.Helper()
	var o ipc.ServiceOptions
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	return ipc.NewService(parse(t, streamsText), &o)
}

func mustPublish(t testing.TB, s *ipc.Service, event string, data any) {
	t.Helper()
	if err := s.Publish(t.Context(), event, data); err != nil {
		t.Fatal(err)
	}
}

func mustSubscribe(t testing.TB, c *ipc.Client, pattern string, opts *ipc.SubscribeOptions) *ipc.Subscription {
	t.Helper()
	sub, err := c.Subscribe(t.Context(), pattern, opts)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func mustNext(t testing.TB, sub *ipc.Subscription) *ipc.Event {
	t.Helper()
	e, err := sub.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// relay stands between clients and a service, and cuts them off.
type relay struct {
	address string
	to      string
	working sync.WaitGroup

	mu      sync.Mutex
	changed sync.Cond
	closed  bool // whoever comes is turned away
	stopped bool // nothing passes to the clients
	conns   map[net.Conn]struct{}
}

func newRelay(t testing.TB, to string) *relay {
	t.Helper()
	l, address := listenRaw(t)
	r := &relay{address: address, to: to, conns: map[net.Conn]struct{}{}}
	r.changed.L = &r.mu
	r.working.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.pass(conn)
		}
	})
	t.Cleanup(func() {
		l.Close()
		r.set(func() { r.closed, r.stopped = true, false })
		r.cut()
		r.working.Wait()
	})
	return r
}

func (r *relay) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	r.changed.Broadcast()
}

// pass connects a client with the service.
func (r *relay) pass(client net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	service, err := dialRaw(r.to)
	if r.closed || err != nil {
		client.Close()
		if err == nil {
			service.Close()
		}
		return
	}
	r.conns[client], r.conns[service] = struct{}{}, struct{}{}
	both := func() {
		client.Close()
		service.Close()
	}
	r.working.Go(func() { io.Copy(service, client); both() })
	r.working.Go(func() { r.copy(client, service); both() })
}

func (r *relay) copy(to, from net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		r.mu.Lock()
		for r.stopped {
			r.changed.Wait()
		}
		r.mu.Unlock()
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// cut ends the connections there are.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		conn.Close()
	}
	clear(r.conns)
}

// until waits for the service to have so many subscriptions.
func until(t testing.TB, c *ipc.Client, subscriptions int) {
	t.Helper()
	for {
		who, err := c.Who(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(who) == subscriptions {
			return
		}
	}
}

func TestASubscriptionBeginsWhereItIsAskedTo(t *testing.T) {
	address, s := startStreams(t, nil)
	c := dial(t, address, nil)
	var receipts []*ipc.Receipt
	for i := range 6 {
		r, err := s.PublishWith(t.Context(), []string{"order.made", "order.paid"}[i%2], i, nil)
		if err != nil || r.Stream != "orders" || r.Seq != uint64(i+1) {
			t.Fatalf("%+v, %v", r, err)
		}
		receipts = append(receipts, r)
		mustPublish(t, s, "state", i)
	}
	epoch := receipts[0].Epoch
	for name, x := range map[string]struct {
		pattern string
		from    ipc.From
		first   uint64
		data    string
	}{
		"first":       {"orders", ipc.FromFirst(), 1, "0"},
		"of a name":   {"order.paid", ipc.FromFirst(), 2, "1"},
		"a pattern":   {"order.*", ipc.FromFirst(), 1, "0"},
		"last":        {"orders", ipc.FromLast(), 6, "5"},
		"last name":   {"order.made", ipc.FromLast(), 5, "4"},
		"seq":         {"orders", ipc.FromSeq(epoch, 3), 3, "2"},
		"time":        {"orders", ipc.FromTime(time.Now().Add(-time.Hour)), 1, "0"},
		"any time":    {"orders", ipc.FromTime(time.Time{}), 1, "0"},
		"last, state": {"state", ipc.FromLast(), 6, "5"},
	} {
		for range 20 { // whatever is quicker, the answer or the first event
			sub := mustSubscribe(t, c, x.pattern, &ipc.SubscribeOptions{From: x.from})
			e := mustNext(t, sub)
			if e.Seq != x.first || e.Data.String() != x.data || e.Gap != nil {
				t.Fatalf("%s: it begins with %+v", name, e)
			}
			sub.Close()
		}
	}
	for name, x := range map[string]struct {
		pattern string
		from    ipc.From
		code    ipc.Code
	}{
		"another epoch":    {"orders", ipc.FromSeq("x", 3), "CURSOR_INVALID"},
		"too far":          {"orders", ipc.FromSeq(epoch, 8), "CURSOR_INVALID"},
		"not kept":         {"tick", ipc.FromFirst(), ipc.CodeInvalidArgument},
		"without snapshot": {"orders", ipc.FromSnapshot(), ipc.CodeInvalidArgument},
	} {
		if _, err := c.Subscribe(t.Context(), x.pattern, &ipc.SubscribeOptions{From: x.from}); ipc.CodeOf(err) != x.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestASubscriptionFromTheServiceItself replays more than its queue holds.
func TestASubscriptionFromTheServiceItself(t *testing.T) {
	_, s := startStreams(t, nil)
	const n = 10_000
	for i := range n {
		mustPublish(t, s, "order.made", i)
	}
	sub, err := s.Subscribe("orders", &ipc.SubscribeOptions{From: ipc.FromFirst(), Queue: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if e := mustNext(t, sub); e.Data.String() != fmt.Sprint(i) || e.Gap != nil {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	mustPublish(t, s, "order.paid", "now")
	if e := mustNext(t, sub); e.Data.String() != `"now"` || e.Seq != n+1 {
		t.Errorf("live: %+v", e)
	}
	sub.Close()
	if _, err := s.Subscribe("tick", &ipc.SubscribeOptions{From: ipc.FromLast()}); ipc.CodeOf(err) != ipc.CodeInvalidArgument {
		t.Errorf("of what keeps nothing: %v", err)
	}
	slow, err := s.Subscribe("tick", &ipc.SubscribeOptions{Queue: 10})
	if err != nil {
		t.Fatal(err)
	}
	strict, err := s.Subscribe("tick", &ipc.SubscribeOptions{Queue: 10, Disconnect: true})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		mustPublish(t, s, "tick", 1)
	}
	for next, seq := uint64(1), uint64(0); seq < n; next = seq + 1 {
		e := mustNext(t, slow)
		if e.Gap != nil {
			if e.Gap.From != next || e.Gap.Count != e.Gap.To-e.Gap.From+1 {
				t.Fatalf("gap %+v after %d", e.Gap, next-1)
			}
			next = e.Gap.To + 1
		}
		if seq = e.Seq; seq != next {
			t.Fatalf("%d comes instead of %d", seq, next)
		}
	}
	slow.Close()
	for {
		if _, err := strict.Next(t.Context()); err != nil {
			if ipc.CodeOf(err) != "SLOW_CONSUMER" {
				t.Errorf("it ends with %v", err)
			}
			break
		}
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscribe("tick", nil); err == nil {
		t.Error("a service that has shut down can be subscribed to")
	}
}

// TestStateAndChangesAddUp subscribes from the snapshot while the state
// changes: the state and the changes since are the state at the end.
func TestStateAndChangesAddUp(t *testing.T) {
	s := newStreams(t, nil)
	var mu sync.Mutex // guards total, and that it agrees with what is published
	total := 0
	s.HandleSnapshot("orders", func(context.Context, ipc.Caller) (any, ipc.Cursor, error) {
		mu.Lock()
		defer mu.Unlock()
		return total, s.Next("orders"), nil
	})
	address := serve(t, s)
	c := dial(t, address, nil)
	const n = 3000
	change := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		total += by
		mustPublish(t, s, "order.made", by)
	}
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for i := range n {
			change(i)
		}
	})
	var subs []*ipc.Subscription
	for range 20 {
		subs = append(subs, mustSubscribe(t, c, "orders", &ipc.SubscribeOptions{From: ipc.FromSnapshot()}))
	}
	publishing.Wait()
	change(-1)
	for i, sub := range subs {
		e := mustNext(t, sub)
		if !e.Snapshot {
			t.Fatalf("%d begins with %+v", i, e)
		}
		sum := 0
		for {
			var v int
			if err := e.Decode(&v); err != nil || e.Gap != nil {
				t.Fatalf("%+v, %v", e, err)
			}
			sum += v
			if v == -1 {
				break
			}
			if e = mustNext(t, sub); e.Snapshot {
				t.Fatal("a second snapshot")
			}
		}
		if sum != total {
			t.Errorf("%d: %d is not %d", i, sum, total)
		}
	}
}

// TestACutConnectionCostsNothingThatIsKept cuts it off again and again.
func TestACutConnectionCostsNothingThatIsKept(t *testing.T) {
	address, s := startStreams(t, nil)
	r := newRelay(t, address)
	c := dial(t, r.address, nil)
	subs := []*ipc.Subscription{
		mustSubscribe(t, c, "orders", nil),
		mustSubscribe(t, c, "order.*", nil),
		mustSubscribe(t, c, "order.made", nil),
		mustSubscribe(t, c, "orders", &ipc.SubscribeOptions{From: ipc.FromFirst()}),
	}
	const n = 4000
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for i := range n {
			if err := s.Publish(t.Context(), "order.made", i); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range n {
		if i%1000 == 500 {
			r.cut()
		}
		for _, sub := range subs {
			if e := mustNext(t, sub); e.Data.String() != fmt.Sprint(i) || e.Seq != uint64(i+1) || e.Gap != nil {
				t.Fatalf("%s: event %d is %+v with %s and the gap %+v", sub.Pattern(), i, e, e.Data, e.Gap)
			}
		}
	}
	publishing.Wait()
}

// TestACutConnectionCostsWhatIsNotKept says exactly how much.
func TestACutConnectionCostsWhatIsNotKept(t *testing.T) {
	address, s := startStreams(t, nil)
	r := newRelay(t, address)
	c, observer := dial(t, r.address, nil), dial(t, address, nil)
	subs := []*ipc.Subscription{mustSubscribe(t, c, "tick", nil), mustSubscribe(t, c, "*", nil)}
	mustPublish(t, s, "tick", 1)
	for _, sub := range subs {
		mustNext(t, sub)
	}
	r.set(func() { r.closed = true })
	r.cut()
	until(t, observer, 0)
	for i := range 5 {
		mustPublish(t, s, "tick", i)
	}
	r.set(func() { r.closed = false })
	until(t, observer, 2)
	mustPublish(t, s, "tick", "after")
	for _, sub := range subs {
		e := mustNext(t, sub)
		if e.Gap == nil || *e.Gap != (ipc.Gap{From: 2, To: 6, Count: 5, Reason: ipc.GapLost}) || e.Seq != 7 {
			t.Errorf("%s: %+v with the gap %+v", sub.Pattern(), e, e.Gap)
		}
	}
	mustPublish(t, s, "tick", "and on")
	for _, sub := range subs {
		if e := mustNext(t, sub); e.Gap != nil || e.Seq != 8 {
			t.Errorf("%s: %+v with the gap %+v", sub.Pattern(), e, e.Gap)
		}
	}
}

func TestARestartOfWhatIsKeptInMemory(t *testing.T) {
	address := localAddress(t)
	first := newStreams(t, nil)
	stop := serveAt(t, first, address)
	c := dial(t, address, nil)
	sub := mustSubscribe(t, c, "orders", nil)
	mustPublish(t, first, "order.made", "before")
	mustNext(t, sub)
	stop()
	second := newStreams(t, nil)
	mustPublish(t, second, "order.made", "between") // before the client is back
	t.Cleanup(serveAt(t, second, address))
	e := mustNext(t, sub)
	if e.Data.String() != `"between"` || e.Gap == nil || e.Gap.Reason != ipc.GapRestarted {
		t.Errorf("%s with the gap %+v", e.Data, e.Gap)
	}
	mustPublish(t, second, "order.made", "after")
	if e := mustNext(t, sub); e.Data.String() != `"after"` || e.Gap != nil {
		t.Errorf("%s with the gap %+v", e.Data, e.Gap)
	}
}

// logged is a log that a test can read.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestASlowSubscriberIsCutOff keeps what the service sends from a client that
// would rather be told than miss something.
func TestASlowSubscriberIsCutOff(t *testing.T) {
	for name, x := range map[string]struct {
		event string
		opts  *ipc.SubscribeOptions
	}{
		"as the channel says":    {"strict", nil},
		"as the subscriber says": {"tick", &ipc.SubscribeOptions{Disconnect: true}},
	} {
		t.Run(name, func(t *testing.T) {
			log := &logged{}
			address, s := startStreams(t, &ipc.ServiceOptions{Logger: slog.New(slog.NewTextHandler(log, nil))})
			r := newRelay(t, address)
			c := dial(t, r.address, nil)
			sub := mustSubscribe(t, c, x.event, x.opts)
			r.set(func() { r.stopped = true })
			long := strings.Repeat("x", 10_000)
			for !strings.Contains(log.String(), "SLOW_CONSUMER") {
				mustPublish(t, s, x.event, long)
			}
			if text := log.String(); !strings.Contains(text, fmt.Sprintf("pid=%d", pid())) || !strings.Contains(text, "pattern="+x.event) {
				t.Errorf("the operator is told %s", text)
			}
			r.set(func() { r.stopped = false })
			for {
				e, err := sub.Next(t.Context())
				if err != nil {
					if ipc.CodeOf(err) != "SLOW_CONSUMER" {
						t.Errorf("it ends with %v", err)
					}
					break
				}
				if e.Gap != nil {
					t.Errorf("a gap %+v", e.Gap)
				}
			}
			again := mustSubscribe(t, c, x.event, x.opts)
			mustPublish(t, s, x.event, "again")
			if e := mustNext(t, again); e.Data.String() != `"again"` {
				t.Errorf("got %s", e.Data)
			}
		})
	}
}

// TestAFarewellRightBehindTheAnswer comes before the client can know whom it
// is meant for.
func TestAFarewellRightBehindTheAnswer(t *testing.T) {
	const n = 200
	address, accept := listenBadly(t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		b := accept()
		for i := range n {
			id := b.asked()
			frames := framed(fmt.Sprintf(`{"type":"response","data":{"subscription":"s%d","from":{"epoch":"e","seq":1}},"correlationId":%q}`, i, id))
			frames = append(frames, framed(fmt.Sprintf(`{"type":"response","error":{"code":"SLOW_CONSUMER","message":"slow"},"correlationId":"s%d"}`, i))...)
			if err := b.conn.Write(frames); err != nil {
				t.Error(err)
			}
		}
	}()
	c := dial(t, address, untold(t))
	for range n {
		sub := mustSubscribe(t, c, "tick", nil)
		if _, err := sub.Next(t.Context()); ipc.CodeOf(err) != "SLOW_CONSUMER" {
			t.Fatalf("it ends with %v", err)
		}
	}
	<-served
}

// TestALongPastIsNotLost goes back over many times more events than the
// client's queue holds, with a reader that takes its time.
func TestALongPastIsNotLost(t *testing.T) {
	const kept = 30_000
	address, s := startStreams(t, nil)
	for i := range kept {
		mustPublish(t, s, "order.made", i)
	}
	c := dial(t, address, nil)
	sub := mustSubscribe(t, c, "orders", &ipc.SubscribeOptions{From: ipc.FromFirst(), Queue: 64})
	for i := range kept {
		e := mustNext(t, sub)
		if e.Gap != nil || e.Data.String() != strconv.Itoa(i) {
			t.Fatalf("event %d is %s, with a gap %+v", i, e.Data, e.Gap)
		}
	}
	mustPublish(t, s, "order.made", "live")
	if e := mustNext(t, sub); e.Gap != nil || e.Data.String() != `"live"` {
		t.Errorf("got %s, with a gap %+v", e.Data, e.Gap)
	}
}

// TestNewEventsDoNotOverrunASlowReader has a subscription hear one channel that
// is published on while another one's past is read. More comes than the
// client's queue holds; it waits at the service.
func TestNewEventsDoNotOverrunASlowReader(t *testing.T) {
	const kept, live = 3000, 3000
	address, s := startStreams(t, nil)
	for i := range kept {
		mustPublish(t, s, "order.made", i)
	}
	c := dial(t, address, nil)
	sub := mustSubscribe(t, c, "**", &ipc.SubscribeOptions{From: ipc.FromFirst(), Queue: 64})
	for i := range live {
		mustPublish(t, s, "tick", i)
	}
	next := map[string]int{}
	for next["orders"] < kept || next["tick"] < live {
		e := mustNext(t, sub)
		if e.Gap != nil || e.Data.String() != strconv.Itoa(next[e.Stream]) {
			t.Fatalf("after %d of %s comes %s, with a gap %+v", next[e.Stream], e.Stream, e.Data, e.Gap)
		}
		next[e.Stream]++
	}
}
