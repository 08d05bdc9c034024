package ipc

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/internal/endpoint"
	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// Resolution is where a service was found, and every place looked at.
type Resolution = registry.Resolution

// Client calls one service and hears its events. Its methods may be called at
// any time from any goroutine.
type Client struct {
	target   string
	opts     ClientOptions
	registry *registry.Registry // nil when target is an address
	endpoint *endpoint.Endpoint
	handler  Handler // interceptors around send; nil without interceptors
	routes   atomic.Pointer[map[string]*route]
	retries  retryBudget
	promises promises

	connections atomic.Uint64 // ever opened
	lastID      atomic.Uint64 // given to a subscription
	audience    atomic.Uint64 // changes with subscriptions and separate, within mu

	mu            sync.Mutex // guards all below
	resolution    *Resolution
	address       string // of the last connection
	subscriptions map[*Subscription]struct{}
	separate      map[string]*Subscription // those of them whose events carry an id, by that
	mending       bool                     // a goroutine brings the subscriptions and the will back
	will          standingWill
	enrolling     int               // subscriptions that are being made
	farewells     map[string]*Error // what came meanwhile of ids that nobody has yet
	closed        bool
	life          context.Context // ends with Close
	end           context.CancelFunc
	workers       sync.WaitGroup
}

// route is what all the calls of one method have in common.
type route struct {
	channel, action []byte
	timeout         time.Duration // as in session.Request
	idempotent      bool          // says the manifest
}

// Dial finds a service and connects to it. target is the service's name, such
// as "database-service", or an address, such as
// "unix:/run/user/1000/ekko-ipc/db.sock". The errors are SERVICE_NOT_FOUND
// with the places looked at, SERVICE_UNAVAILABLE when nobody listens there,
// and UNTRUSTED_PEER, or over TLS TLS_ERROR, when somebody else does. A connection that is lost later
// is opened anew by the next call, and at once while there are subscriptions.
func Dial(ctx context.Context, target string, opts *ClientOptions) (*Client, error) {
	c, err := newClient(ctx, target, opts)
	if err != nil {
		return nil, err
	}
	if _, err := c.endpoint.Acquire(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// NewClient finds a service and leaves connecting to it to the first call:
// only the name is resolved. Where target is an address, nothing is done.
func NewClient(ctx context.Context, target string, opts *ClientOptions) (*Client, error) {
	return newClient(ctx, target, opts)
}

func newClient(ctx context.Context, target string, opts *ClientOptions) (*Client, error) {
	c := &Client{
		target:        target,
		opts:          opts.orDefault(),
		subscriptions: map[*Subscription]struct{}{},
		separate:      map[string]*Subscription{},
		farewells:     map[string]*Error{},
		promises:      promises{asking: make(chan struct{}, 1)},
	}
	c.life, c.end = context.WithCancel(context.WithoutCancel(ctx))
	c.endpoint = endpoint.New(c.dial)
	if len(c.opts.Interceptors) > 0 {
		c.handler = intercept(func(ctx context.Context, r *Request) (any, error) {
			return c.send(ctx, r.Method, r.Data, nil)
		}, c.opts.Interceptors)
	}
	if strings.Contains(target, ":") {
		if _, err := c.transportOptions(nil, target).ParseAddress(target); err != nil {
			return nil, dialError(target, target, err)
		}
		c.resolution = &Resolution{Address: target, Ways: []Way{{Address: target}}, Source: "address"}
		return c, nil
	}
	c.registry = registry.New(&registry.Options{Dirs: c.opts.Dirs})
	if _, err := c.resolve(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// resolve asks the registry where the service is now.
func (c *Client) resolve(ctx context.Context) (*Resolution, error) {
	if c.registry == nil {
		return c.Resolution(), nil
	}
	r, err := c.registry.Resolve(ctx, c.target)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resolution != nil && c.resolution.Manifest != r.Manifest {
		c.routes.Store(nil) // what it said of the methods may be different now
	}
	c.resolution = r
	return r, nil
}

// Resolution returns where the service was found.
func (c *Client) Resolution() *Resolution {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resolution
}

// Address returns the address that the client is connected to, or was last;
// before that the one that it tries first.
func (c *Client) Address() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.address != "" {
		return c.address
	}
	return c.resolution.Address
}

// Manifest returns the manifest that the service was found by; nil if it was
// found without one. Describe asks the service itself.
func (c *Client) Manifest() *manifest.Manifest { return c.Resolution().Manifest }

// dial opens a session for the endpoint.
func (c *Client) dial(ctx context.Context) (*session.Session, error) {
	r, err := c.resolve(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := c.reach(ctx, r)
	if err != nil {
		return nil, err
	}
	l := &listener{client: c, connection: c.connections.Add(1)}
	s := session.New(conn, l, session.Options{
		MaxFrame:     c.opts.MaxFrame,
		MaxPending:   c.opts.MaxPending,
		Timeout:      c.opts.Timeout,
		PingInterval: c.opts.PingInterval,
		Linger:       c.opts.Linger,
		LingerBytes:  c.opts.LingerBytes,
		Origin:       wire.OriginClient,
		Tap:          c.opts.Tap,
		Peer:         c.name(),
		Closed:       func(err error) { c.lost(l.connection, err) },
	})
	if len(c.opts.Methods) > 0 {
		s.KeepReading(true) // the service may call at any time
	}
	return s, nil
}

// transportOptions are those of a connection.
func (c *Client) transportOptions(m *manifest.Manifest, address string) *transport.Options {
	return &transport.Options{
		MaxFrame:    c.opts.MaxFrame,
		TLS:         registry.ClientTLS(m, address, c.opts.TLS),
		InsecureTCP: c.opts.InsecureTCP,
	}
}

// gaveUp is the error of a call that ended before it was sent.
func gaveUp(cause error) *Error {
	return unsent(wire.Errorf(wire.CodeOf(cause), "gave up before the call was sent: %w", cause))
}

// name is how errors and observers call the service.
func (c *Client) name() string {
	if c.registry != nil {
		return c.target
	}
	return "the service"
}

// routeOf returns the channel and action of a method, made once.
func (c *Client) routeOf(name string) (*route, error) {
	if known := c.routes.Load(); known != nil {
		if r := (*known)[name]; r != nil {
			return r, nil
		}
	}
	service, action := "", name
	if c.registry != nil {
		service = c.target
	}
	if rest, ok := strings.CutPrefix(name, "ipc."); ok {
		service, action = "ipc", rest
	}
	if err := wire.CheckName(name); err != nil {
		return nil, err
	}
	r := &route{channel: []byte(name), action: []byte(action)}
	if service != "" {
		r.channel = []byte(service + "." + action)
	} else {
		r.channel = nil // an address names no service: the action says it all
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	decl := c.resolution.Manifest.MethodByName(name)
	r.timeout, r.idempotent = c.timeoutOf(decl), decl != nil && decl.Idempotent
	routes := map[string]*route{name: r}
	if known := c.routes.Load(); known != nil && len(*known) < maxRoutes {
		for k, v := range *known {
			routes[k] = v
		}
	}
	c.routes.Store(&routes)
	return r, nil
}

// timeoutOf returns how long a call of the method may take without a deadline
// of its own: what the manifest says, but no longer than this client wants to
// wait for anything.
func (c *Client) timeoutOf(decl *manifest.Method) time.Duration {
	own := c.opts.Timeout
	switch {
	case decl == nil || decl.Timeout == 0:
		return own
	case own > 0:
		return min(own, decl.Timeout)
	}
	return decl.Timeout
}

// maxRoutes bounds what is remembered for programs that make method names up.
const maxRoutes = 1024

// Call asks the service for method with args and returns its result. Each
// argument becomes JSON; Raw, json.RawMessage and jsontext.Value are sent as
// they are. The error is an *Error, the service's or one made here.
func (c *Client) Call(ctx context.Context, method string, args ...any) (Raw, error) {
	text, err := argumentsText(args)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return c.CallRaw(ctx, method, nil)
	}
	defer text.Release()
	if c.handler == nil {
		return c.send(ctx, method, nil, text)
	}
	return c.CallRaw(ctx, method, text.JSON())
}

// CallRaw is Call with the arguments as JSON: an array of them, a single
// value that is not an array, or an object of named arguments; nil for none.
// data is not kept.
func (c *Client) CallRaw(ctx context.Context, method string, data Raw) (Raw, error) {
	if c.handler == nil {
		return c.send(ctx, method, data, nil)
	}
	result, err := c.handler(ctx, &Request{Method: method, Data: data})
	if err != nil {
		return nil, err
	}
	if raw, ok := result.(Raw); ok {
		return raw, nil
	}
	return appendJSON(nil, result)
}

// exchange sends req on a live session. A session that turns out to have
// ended before the request was taken up is replaced once.
func (c *Client) exchange(ctx context.Context, req *session.Request) (Raw, error) {
	for attempt := 0; ; attempt++ {
		s, err := c.endpoint.Acquire(ctx)
		if err != nil {
			return nil, c.acquireError(ctx, err)
		}
		data, err := s.Call(ctx, req)
		if err == nil {
			return data, nil
		}
		if attempt > 0 || !leftBehind(err) || !s.Broken() || c.life.Err() != nil {
			return nil, err
		}
	}
}

// leftBehind reports whether a request that failed with err was certainly not
// taken up, because its connection ended.
func leftBehind(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Details.Executed == wire.ExecutedNo && (e.Code == wire.CodeConnectionLost || e.Code == wire.CodeShuttingDown)
}

func (c *Client) acquireError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return gaveUp(ctx.Err())
	}
	if errors.Is(err, ErrClosed) {
		return unsent(wire.Errorf(wire.CodeConnectionLost, "the client is closed: %w", err))
	}
	return err
}

// Flush waits until the service has handled everything published before; by
// then OnError has been told of what it refused.
func (c *Client) Flush(ctx context.Context) error {
	_, err := c.send(ctx, "ipc.ping", nil, nil)
	return err
}

// Ping returns how long the service takes to answer nothing.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := c.Flush(ctx)
	return time.Since(began), err
}

// Describe asks the service for its manifest.
func (c *Client) Describe(ctx context.Context) (*manifest.Manifest, error) {
	data, err := c.send(ctx, "ipc.describe", nil, nil)
	if err != nil {
		return nil, err
	}
	return (&manifest.Options{AllowReserved: true, MaxSize: manifest.MaxSize}).Parse(data)
}

// Close sends what has been published, withdraws the will, ends the connection and the
// subscriptions, and waits for the client's goroutines. Outstanding calls
// fail with CONNECTION_LOST. It is idempotent.
func (c *Client) Close() error {
	c.mu.Lock()
	already := c.closed
	c.closed = true
	open := make([]*Subscription, 0, len(c.subscriptions))
	for sub := range c.subscriptions {
		open = append(open, sub)
	}
	c.mu.Unlock()
	c.goodbye()
	c.end()
	err := c.endpoint.Close()
	for _, sub := range open {
		sub.finish(ErrClosed)
	}
	c.workers.Wait()
	if already {
		return nil
	}
	return err
}
