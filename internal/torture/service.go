//go:build linux

package torture

import (
	"context"
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
	"github.com/ekkojs/ipc/internal/torture/stage"
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
	go stage.EndWithStdin(stop)
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

var quiet = slog.New(slog.DiscardHandler)
