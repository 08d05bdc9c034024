//go:build linux

package torture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ekkojs/ipc"
)

// The limits of the services, small enough to be met all the time.
const (
	maxFrame       = 256 << 10
	maxInFlight    = 12
	maxConnections = 24
	drainTimeout   = 200 * time.Millisecond
)

// serviceConfig is what a service process is told.
type serviceConfig struct {
	Name    string // of the process
	Dir     string // of the journal
	Address string
	Back    string // the address of the service behind this one; "" if there is none
	Tight   bool   // little may run and wait at a time, and answers wait for each other
	Plant   Plant
}

// service is the program of a service process.
type service struct {
	serviceConfig
	journal *Journal
	back    *caller // nil if there is none
	entries atomic.Int64
	gate    sync.RWMutex // read-locked by each handler; locked when the process ends
	deep    any          // a result that no peer reads
	large   string       // a result that fits into no frame
}

// runService serves until it is told to end, by SIGTERM or by the end of
// stdin, and returns when all its handlers have.
func runService(cfg serviceConfig) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go endWithStdin(stop)
	j, err := OpenJournal(cfg.Dir, cfg.Name)
	if err != nil {
		return err
	}
	s := &service{serviceConfig: cfg, journal: j, large: strings.Repeat("x", maxFrame)}
	for range 70 {
		s.deep = []any{s.deep}
	}
	if cfg.Back != "" {
		client, err := ipc.NewClient(ctx, cfg.Back, &ipc.ClientOptions{Logger: quiet})
		if err != nil {
			return err
		}
		defer client.Close()
		s.back = &caller{journal: j}
		s.back.client.Store(client)
	}
	err = s.serve(ctx)
	s.gate.Lock() // handlers that go on are waited for, and none begins any more
	return err
}

// serve serves at the address, or behind a proxy that is there.
func (s *service) serve(ctx context.Context) error {
	address := s.Address
	if s.Plant.isProxy() {
		address += ".inner"
	}
	m, err := ipc.ParseManifest(manifestText())
	if err != nil {
		return err
	}
	var proxied sync.WaitGroup
	defer proxied.Wait()
	opts := &ipc.ServiceOptions{
		Logger:         quiet,
		Interceptors:   []ipc.Interceptor{s.guard},
		MaxFrame:       maxFrame,
		MaxInFlight:    maxInFlight,
		MaxConnections: maxConnections,
		DrainTimeout:   drainTimeout,
	}
	if s.Tight {
		opts.MaxConcurrent, opts.MaxQueued, opts.Linger = 6, 40, 200*time.Microsecond
	}
	if s.Plant == Forgetful {
		opts.DedupeWindow = -1
	}
	opts.Ready = func([]string) {
		if s.Plant.isProxy() {
			p := &proxy{plant: s.Plant, outer: s.Address, inner: address}
			if err := p.start(ctx, &proxied); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
		}
		fmt.Println("ready")
	}
	svc := ipc.NewService(m, opts)
	for name, h := range s.handlers() {
		svc.Handle(name, s.journalled(h))
	}
	ipc.Handle(svc, "typed", func(ctx context.Context, in arguments) (any, error) {
		return s.record(in, func() (any, error) { return in.Call, nil })
	})
	return svc.Serve(ctx, address)
}

// arguments are those of every method.
type arguments struct {
	Call string  `json:"call"`
	MS   float64 `json:"ms"` // how long it takes; or which of several ways it goes
	Pad  string  `json:"pad"`

	request *ipc.Request
	items   *int // how many were sent or received, for the record of the end
}

// methods of the services, which take arguments; "typed" and "absent" are
// declared without parameters.
var methods = []string{
	"quick", "slow", "stubborn", "failing", "plain", "refusing", "panicking", "large", "mismatch",
	"unreadable", "wordy", "relay", "guarded", "spoiled", "repeatable", "mirror", "count", "gather", "echoes", "bulk",
}

// traits are what the manifest says of some methods more than their
// parameters.
var traits = map[string]string{
	"quick":      `,"returns":{"type":"string"}`,
	"mismatch":   `,"returns":{"type":"string"}`,
	"repeatable": `,"idempotent":true`,
	"count":      `,"stream":"server","returns":{"type":"any"}`,
	"echoes":     `,"stream":"both","items":{"type":"any"},"returns":{"type":"any"}`,
	"gather":     `,"stream":"client","items":{"type":"integer"}`,
}

func manifestText() []byte {
	var b strings.Builder
	b.WriteString(`{"service":{"name":"torture","version":"1.0.0"},"methods":{"typed":{},"absent":{}`)
	for _, m := range methods {
		fmt.Fprintf(&b, `,%q:{"parameters":[{"name":"call","type":"string","required":true},{"name":"ms","type":"number","required":false},{"name":"pad","type":"string","required":false}]%s}`, m, traits[m])
	}
	b.WriteString("}}")
	return []byte(b.String())
}

// handler is what a method does between the records of its begin and its end.
type handler func(ctx context.Context, in arguments) (any, error)

func (s *service) handlers() map[string]handler {
	return map[string]handler{
		"quick": func(_ context.Context, in arguments) (any, error) { return in.Call, nil },
		"slow": func(ctx context.Context, in arguments) (any, error) {
			if err := pause(ctx, in.MS); err != nil {
				return nil, err
			}
			return in.Call, nil
		},
		"stubborn": func(_ context.Context, in arguments) (any, error) {
			pause(context.Background(), in.MS)
			return in.Call, nil
		},
		"failing": func(_ context.Context, in arguments) (any, error) {
			return nil, ipc.Errorf("APP_BROKEN", "[%s]", in.Call)
		},
		"plain":    func(_ context.Context, in arguments) (any, error) { return nil, fmt.Errorf("[%s] failed", in.Call) },
		"refusing": s.refuse,
		"panicking": func(_ context.Context, in arguments) (any, error) {
			panic(in.Call)
		},
		"large":      func(context.Context, arguments) (any, error) { return s.large, nil },
		"mismatch":   func(context.Context, arguments) (any, error) { return 1, nil },
		"unreadable": func(context.Context, arguments) (any, error) { return s.deep, nil },
		"wordy": func(_ context.Context, in arguments) (any, error) {
			return nil, ipc.Errorf("APP_WORDY", "[%s] %s", in.Call, s.large)
		},
		"relay":  s.relay,
		"mirror": s.mirror,
		"count":  s.count,
		"gather": s.gather,
		"echoes": s.echo,
		"bulk":   func(_ context.Context, in arguments) (any, error) { return in.Pad + in.Call + "|", nil },
		"repeatable": func(_ context.Context, in arguments) (any, error) {
			pause(context.Background(), in.MS)
			if in.MS == 5 {
				return nil, ipc.Errorf("APP_BROKEN", "[%s]", in.Call)
			}
			return in.Call, nil
		},
		"guarded": func(_ context.Context, in arguments) (any, error) { return in.Call, nil },
		"spoiled": func(_ context.Context, in arguments) (any, error) { return in.Call, nil },
	}
}

// refuse answers with a code of the handler's own, having done nothing.
func (s *service) refuse(_ context.Context, in arguments) (any, error) {
	codes := []ipc.Code{ipc.CodeNotFound, ipc.CodeInvalidArgument, ipc.CodeConflict, ipc.CodeAlreadyExists}
	code := codes[int(in.MS)%len(codes)]
	if s.Plant != ExecuteAndDeny {
		s.journal.Write(Event{Kind: Refused, Call: in.Call, Code: code})
	}
	return nil, ipc.Errorf(code, "[%s] refused", in.Call)
}

// relay asks the service behind and passes on what that says, errors as they
// are: the call to the service behind may not have been executed, this one
// was.
func (s *service) relay(ctx context.Context, in arguments) (any, error) {
	if s.back == nil {
		return in.Call, nil
	}
	id := in.Call + onward
	method := []string{"quick", "refusing", "failing", "nothing", "slow"}[int(in.MS)%5]
	_, err := s.back.call(ctx, plan{method: method, args: []any{id, 1}}, id)
	if err == nil {
		return in.Call, nil
	}
	if e, ok := errors.AsType[*ipc.Error](err); s.Plant == PassOn && ok {
		denied := *e // as if it were the handler's own
		denied.Details.Origin = ""
		return nil, &denied
	}
	return nil, err
}

// mirror calls back the client that called it, and passes on what that says.
func (s *service) mirror(ctx context.Context, in arguments) (any, error) {
	id := in.Call + onward
	s.journal.Write(Event{Kind: Invoke, Call: id, Method: "echo"})
	result, err := in.request.Peer().Call(ctx, "echo", id, in.MS)
	s.journal.Write(outcome(id, result, err))
	if err != nil {
		return nil, err
	}
	return in.Call, nil
}

// count streams items to its caller.
func (s *service) count(ctx context.Context, in arguments) (any, error) {
	for i := range int(in.MS) * 8 {
		if err := in.request.Send(ctx, item{in.Call, i, in.Pad}); err != nil {
			return nil, err
		}
		*in.items++
	}
	if int(in.MS) == 5 {
		return nil, ipc.Errorf("APP_BROKEN", "[%s]", in.Call)
	}
	return nil, nil
}

// item is what count streams.
type item struct {
	Call string `json:"call"`
	N    int    `json:"n"`
	Pad  string `json:"pad"`
}

// gather takes the items that its caller streams.
func (s *service) gather(ctx context.Context, in arguments) (any, error) {
	for raw, err := range in.request.Items(ctx) {
		if err != nil {
			return nil, err
		}
		e := Event{Kind: Item, Call: in.Call}
		if err := raw.Decode(&e.N); err != nil {
			return nil, err
		}
		s.journal.Write(e)
		*in.items++
	}
	return in.Call, nil
}

// echo streams back the items that its caller streams.
func (s *service) echo(ctx context.Context, in arguments) (any, error) {
	for raw, err := range in.request.Items(ctx) {
		if err == nil {
			err = in.request.Send(ctx, raw)
		}
		if err != nil {
			return nil, err
		}
		*in.items++
	}
	return nil, nil
}

// guard refuses some calls before their handlers are entered, and spoils the
// results of others after.
func (s *service) guard(next ipc.Handler) ipc.Handler {
	return func(ctx context.Context, r *ipc.Request) (any, error) {
		var in arguments
		if err := r.Decode(&in.Call, &in.MS); err != nil {
			return next(ctx, r) // not a method of these
		}
		refuses := int(in.MS)%2 == 1
		if r.Method == "guarded" && refuses {
			return nil, ipc.Errorf(ipc.CodePermissionDenied, "not you")
		}
		result, err := next(ctx, r)
		if r.Method == "spoiled" && refuses {
			return nil, ipc.Errorf(ipc.CodePermissionDenied, "not any more")
		}
		return result, err
	}
}

// journalled makes a Handler of h.
func (s *service) journalled(h handler) ipc.Handler {
	return func(ctx context.Context, r *ipc.Request) (any, error) {
		var in arguments
		if err := r.Decode(&in.Call, &in.MS, &in.Pad); err != nil {
			return nil, err
		}
		if in.Pad != padding(in.Call, len(in.Pad)) && len(in.Pad) < maxFrame/2 {
			s.journal.Write(Event{Kind: Begin, Call: "damaged, of " + in.Call, Note: damage(in.Call, in.Pad)}) // which nobody has called
		}
		in.request, in.items = r, new(int)
		return s.record(in, func() (any, error) { return h(ctx, in) })
	}
}

// record runs f between the records of its begin and its end.
func (s *service) record(in arguments, f func() (any, error)) (any, error) {
	s.gate.RLock()
	begin, end := Event{Kind: Begin, Call: in.Call}, Event{Kind: End, Call: in.Call}
	switch n := s.entries.Add(1); {
	case s.Plant == LostEntry && n%16 == 0:
		defer s.gate.RUnlock()
		return f()
	case s.Plant == LateEntry && n%16 == 0:
		time.AfterFunc(50*time.Millisecond, func() {
			defer s.gate.RUnlock()
			s.journal.Write(begin)
			s.journal.Write(end)
		})
		return f()
	}
	defer s.gate.RUnlock()
	s.journal.Write(begin)
	defer func() {
		if in.items != nil {
			end.N = *in.items
		}
		s.journal.Write(end)
	}()
	return f()
}

// pause waits for ms milliseconds, or until ctx ends.
func pause(ctx context.Context, ms float64) error {
	t := time.NewTimer(time.Duration(ms * float64(time.Millisecond)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var quiet = slog.New(slog.DiscardHandler)
