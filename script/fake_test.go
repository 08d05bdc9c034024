package script_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/script"
	"github.com/ekkojs/ipc/wire"
)

// fakeNet is a network without sockets: services that Go code offers to apps,
// and those that apps serve.
type fakeNet struct {
	mu       sync.Mutex
	services map[string]*fakeService
	dials    int
}

func newFakeNet() *fakeNet {
	n := &fakeNet{services: map[string]*fakeService{}}
	n.offer("database-service", databaseMethods)
	n.offer("notification-service", nil)
	n.offer("stream-service", streamMethods).streams = streamsDeclared
	return n
}

func (n *fakeNet) options(o script.Options) *script.Options {
	o.Resolve, o.Dial, o.NewService = n.resolve, n.dial, n.newService
	return &o
}

type fakeMethod func(ctx context.Context, args []any) (any, error)

func (n *fakeNet) offer(name string, methods map[string]fakeMethod) *fakeService {
	s := &fakeService{net: n, name: name, handle: func(ctx context.Context, r *script.Request) ([]byte, error) {
		method := methods[r.Method]
		if method == nil {
			return nil, ipc.Errorf(ipc.CodeMethodNotFound, "%s has no method %q", name, r.Method)
		}
		var args []any
		if len(r.Args) > 0 {
			if err := json.Unmarshal(r.Args, &args); err != nil {
				return nil, err
			}
		}
		result, err := method(ctx, args)
		if err != nil {
			return nil, err
		}
		if raw, ok := result.(json.RawMessage); ok {
			return raw, nil
		}
		return json.Marshal(result)
	}}
	for name := range methods {
		s.methods = append(s.methods, name)
	}
	slices.Sort(s.methods)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.services[name] = s
	return s
}

var databaseMethods = map[string]fakeMethod{
	"getUserById": func(_ context.Context, args []any) (any, error) {
		if len(args) == 0 {
			return nil, ipc.Errorf(ipc.CodeSchemaMismatch, "parameter id is missing")
		}
		return map[string]any{"id": args[0], "name": "Ada"}, nil
	},
	"createUser":  func(_ context.Context, args []any) (any, error) { return args[0], nil },
	"echo":        func(_ context.Context, args []any) (any, error) { return args, nil },
	"nothing":     func(context.Context, []any) (any, error) { return json.RawMessage(nil), nil },
	"delete":      func(_ context.Context, args []any) (any, error) { return args[0], nil },
	"constructor": func(context.Context, []any) (any, error) { return "constructed", nil },
	"then":        func(context.Context, []any) (any, error) { return "then was called", nil },
	"subscribe":   func(context.Context, []any) (any, error) { return "subscribe was called", nil },
	"__proto__":   func(context.Context, []any) (any, error) { return "proto was called", nil },
	"polluted": func(context.Context, []any) (any, error) {
		return json.RawMessage(`{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}`), nil
	},
	"slow": func(ctx context.Context, _ []any) (any, error) {
		<-ctx.Done()
		e := ipc.Errorf(ipc.CodeOf(ctx.Err()), "gave up: %v", ctx.Err())
		return nil, e
	},
	"fail": func(_ context.Context, args []any) (any, error) {
		e := ipc.Errorf(ipc.Code(fmt.Sprint(args[0])), "it failed")
		e.Details.Path = "/id"
		return nil, e
	},
	"lost": func(context.Context, []any) (any, error) {
		return nil, ipc.Errorf(ipc.CodeConnectionLost, "the connection is gone")
	},
}

// streamMethods answer with the items of their streams; see fakeClient.Stream.
var streamMethods = map[string]fakeMethod{
	"items":      func(_ context.Context, args []any) (any, error) { return args, nil },
	"talk":       func(_ context.Context, args []any) (any, error) { return args, nil },
	"undeclared": func(_ context.Context, args []any) (any, error) { return args, nil },
	"count": func(_ context.Context, args []any) (any, error) {
		items := make([]int, int(args[0].(float64)))
		for i := range items {
			items[i] = i
		}
		return items, nil
	},
}

// streamsDeclared are the methods of a manifest.
var streamsDeclared = map[string]map[string]string{
	"items": {"stream": "server"}, "count": {"stream": "server"}, "talk": {"stream": "both"},
	"read": {"stream": "client"}, "undeclared": {},
}

func (n *fakeNet) find(name string) (*fakeService, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.services[name]; s != nil {
		return s, nil
	}
	return nil, ipc.Errorf(ipc.CodeServiceNotFound, "no service is called %q; did you mean \"database-service\"? Looked at ./%s.ekko.ipc.json: not there", name, name)
}

func (n *fakeNet) resolve(_ context.Context, name string) (*script.Target, error) {
	s, err := n.find(name)
	if err != nil {
		return nil, err
	}
	described := map[string]any{"service": map[string]any{"name": name}}
	if s.streams != nil {
		described["methods"] = s.streams
	}
	manifest, err := json.Marshal(described)
	return &script.Target{Name: name, Address: "fake:" + name, Methods: s.methods, Manifest: manifest}, err
}

func (n *fakeNet) dial(_ context.Context, name string, stray func(error)) (script.Client, error) {
	s, err := n.find(name)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.dials++
	n.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, ipc.Errorf(ipc.CodeServiceUnavailable, "%s is not running", name)
	}
	life, end := context.WithCancel(context.Background())
	return &fakeClient{fakeService: s, stray: stray, life: life, end: end}, nil
}

func (n *fakeNet) newService(_ context.Context, spec *script.ServiceSpec) (script.Service, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if old := n.services[spec.Name]; old != nil && old.stopped != nil {
		return nil, ipc.Errorf(wire.CodeNameTaken, "%s is served already", spec.Name)
	}
	s := &fakeService{net: n, name: spec.Name, methods: spec.Methods, handle: spec.Handle, stopped: make(chan struct{})}
	n.services[spec.Name] = s
	return s, nil
}

// fakeService is a service, and the hub of its events.
type fakeService struct {
	net     *fakeNet
	name    string
	methods []string
	streams map[string]map[string]string // the manifest's methods; nil: it says nothing of them
	handle  func(ctx context.Context, r *script.Request) ([]byte, error)
	running sync.WaitGroup
	stopped chan struct{} // nil for those that Go code offers
	once    sync.Once

	mu        sync.Mutex // guards all below
	down      bool
	seq       uint64
	subs      map[*fakeSubscription]struct{}
	published []string
	ids       map[string]bool // of those published by PublishWith
}

func (s *fakeService) Serve(ctx context.Context, ready func([]string, []byte)) error {
	ready([]string{"fake:" + s.name}, []byte(`{"service":{"name":"`+s.name+`"}}`))
	select {
	case <-s.stopped:
	case <-ctx.Done():
	}
	s.net.mu.Lock()
	delete(s.net.services, s.name)
	s.net.mu.Unlock()
	s.running.Wait()
	return nil
}

func (s *fakeService) Shutdown(ctx context.Context) error {
	s.once.Do(func() { close(s.stopped) })
	return nil
}

func (s *fakeService) Publish(_ context.Context, event string, data []byte) error {
	if strings.HasPrefix(event, "undeclared") {
		return ipc.Errorf(ipc.CodeChannelNotFound, "%s declares no event %q", s.name, event)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = append(s.published, event+" "+string(data))
	s.seq++
	for sub := range s.subs {
		if sub.pattern.Match(event) {
			sub.events <- &script.Event{
				Name: event, Stream: event, Data: data, ID: "00000000-0000-4000-8000-000000000001",
				Time: time.UnixMilli(1_795_000_000_000), Seq: s.seq, Epoch: "e1",
			}
		}
	}
	return nil
}

// PublishWith gives a receipt to all events, and refuses those whose ID it has
// had.
func (s *fakeService) PublishWith(ctx context.Context, event string, data []byte, id string) ([]byte, error) {
	if err := s.Publish(ctx, event, data); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	duplicate := id != "" && s.ids[id]
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	s.ids[id] = true
	return json.Marshal(map[string]any{"stream": event, "epoch": "e1", "seq": s.seq, "receivers": len(s.subs), "behind": 0, "duplicate": duplicate})
}

func (s *fakeService) Subscribe(_ context.Context, pattern string, _ script.SubscribeOptions) (script.Subscription, error) {
	parsed, err := wire.ParsePattern(pattern)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(pattern, "secret") {
		return nil, ipc.Errorf(ipc.CodePermissionDenied, "not for you")
	}
	sub := &fakeSubscription{service: s, pattern: parsed, events: make(chan *script.Event, 10_000)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subs == nil {
		s.subs = map[*fakeSubscription]struct{}{}
	}
	s.subs[sub] = struct{}{}
	return sub, nil
}

type fakeSubscription struct {
	service *fakeService
	pattern wire.Pattern
	events  chan *script.Event
}

func (s *fakeSubscription) Next(ctx context.Context) (*script.Event, error) {
	select {
	case e := <-s.events:
		return e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *fakeSubscription) Close() error {
	s.service.mu.Lock()
	defer s.service.mu.Unlock()
	delete(s.service.subs, s)
	return nil
}

// fakeClient is a connection to a fake service.
type fakeClient struct {
	*fakeService
	stray func(error)
	life  context.Context
	end   context.CancelFunc
}

func (c *fakeClient) Call(ctx context.Context, method string, data []byte) ([]byte, error) {
	if c.life.Err() != nil {
		return nil, ipc.Errorf(ipc.CodeConnectionLost, "the client is closed")
	}
	c.running.Add(1)
	defer c.running.Done()
	if data == nil {
		data = []byte("[]")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	result, err := c.handle(ctx, &script.Request{Method: method, Args: data, Caller: []byte(`{"known":true,"uid":1000,"pid":42,"roles":[]}`)})
	if err == nil {
		return result, nil
	}
	e := new(ipc.Error)
	if wire.CodeOf(err) == ipc.CodeInternal {
		e = ipc.Errorf(ipc.CodeHandlerFailed, "%w", err)
	} else {
		e = wire.DecodeError(ipcError(err).AppendJSON(nil))
	}
	return nil, e
}

// SetWill finds nobody who would carry it out.
func (c *fakeClient) SetWill(context.Context, string, []byte) error { return nil }

// Notify waits for what a real client does not hear of.
func (c *fakeClient) Notify(ctx context.Context, method string, data []byte) error {
	_, err := c.Call(ctx, method, data)
	return err
}

// Stream answers with what the method returns, an array, item by item. An
// item that is a text and begins with "!" ends the stream with that code, and
// "…" is one that does not come.
func (c *fakeClient) Stream(ctx context.Context, method string, data []byte) (script.Stream, error) {
	result, err := c.Call(ctx, method, data)
	if err != nil {
		return nil, err
	}
	s := &fakeStream{client: c}
	return s, json.Unmarshal(result, &s.items)
}

// fakeStream publishes "closed" on the service when it is closed.

type fakeStream struct {
	client *fakeClient
	items  []json.RawMessage
}

func (s *fakeStream) Recv(ctx context.Context) ([]byte, error) {
	if len(s.items) == 0 {
		return nil, io.EOF
	}
	item := s.items[0]
	s.items = s.items[1:]
	switch text := string(item); {
	case text == `"…"`:
		<-ctx.Done()
		return nil, ctx.Err()
	case strings.HasPrefix(text, `"!`):
		return nil, ipc.Errorf(ipc.Code(strings.Trim(text, `"!`)), "the stream broke off")
	}
	return item, nil
}

func (s *fakeStream) Close() error {
	return s.client.fakeService.Publish(context.Background(), "closed", nil)
}

func ipcError(err error) *ipc.Error {
	if e, ok := err.(*ipc.Error); ok {
		return e
	}
	return ipc.Errorf(ipc.CodeOf(err), "%w", err)
}

func (c *fakeClient) Publish(ctx context.Context, event string, data []byte) error {
	if err := c.fakeService.Publish(ctx, event, data); err != nil {
		c.stray(err)
	}
	return nil
}

func (c *fakeClient) Flush(context.Context) error { return nil }

func (c *fakeClient) Close() error {
	c.end()
	return nil
}
