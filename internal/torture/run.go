//go:build linux

package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ekkojs/ipc/internal/torture/stage"
)

// Config says how to make a history.
type Config struct {
	// Calls is how many calls are made, about. Those of killed clients count.
	Calls int

	// Seed is where everything random begins. The same seed draws the same
	// calls and faults; how they meet is up to the machine.
	Seed uint64

	// Limit is the time after which no more calls are made. Default 6 minutes.
	Limit time.Duration

	// Clients is how many client processes there are at a time. Default 3.
	Clients int

	// Faults names the faults that are injected; an empty list, which is not
	// nil, leaves all processes alone. Default all of them.
	Faults []string

	// Pause is about how long nothing happens between two faults. Default
	// 35 ms, in which a thousand calls are made.
	Pause time.Duration

	// Only names the methods that are called. Default all of them.
	Only []string

	// NoRaw leaves out the callers that speak the protocol by themselves.
	NoRaw bool

	// Patient leaves out the clients that give a silent service up after
	// 30 ms, which it may need on a busy machine.
	Patient bool

	// Plant is the fault put in on purpose. Default none.
	Plant Plant

	// Log is told what happens to the processes. Default nobody.
	Log func(format string, args ...any)
}

// Run makes a history and checks it. Its error means that there is none worth
// checking, or that a process complained.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Limit == 0 {
		cfg.Limit = 6 * time.Minute
	}
	if cfg.Clients == 0 {
		cfg.Clients = 3
	}
	if cfg.Pause == 0 {
		cfg.Pause = 35 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = func(string, ...any) {}
	}
	dir, err := os.MkdirTemp("", tempName)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &run{Config: cfg, dir: dir, killed: map[string]bool{}}
	began := time.Now()
	err = r.run(ctx)
	took := time.Since(began)
	h, readErr := ReadHistory(dir, r.killed)
	if err := errors.Join(err, readErr); h == nil {
		return nil, err
	}
	report := newReport(h)
	report.Seed, report.Kills, report.Drains, report.Took = cfg.Seed, r.kills, r.drains, took
	return report, err
}

// tempName begins the names of the directories that Run works in. They are
// short, for the paths of sockets are.
const tempName = "ekko-ipc-torture"

// run is a history in the making.
type run struct {
	Config
	dir    string
	front  slot
	back   slot
	slots  []*clientSlot
	kills  int
	drains int

	mu     sync.Mutex // guards all below
	killed map[string]bool
	wrong  []error
}

// slot is the place of a service, where one process follows another.
type slot struct {
	name  string
	count int
	now   *stage.Process // nil when it could not be started
}

// clientSlot is the place of a client process.
type clientSlot struct {
	name string
	now  atomic.Pointer[stage.Process]
}

func (r *run) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.Limit)
	defer cancel()
	r.front.name, r.back.name = "front", "back"
	defer r.end(&r.back)
	defer r.end(&r.front)
	if err := errors.Join(r.start(&r.back), r.start(&r.front)); err != nil {
		return err
	}
	calling, done := context.WithCancel(ctx)
	var nemesis, clients sync.WaitGroup
	for i := range r.Clients {
		s := &clientSlot{name: fmt.Sprintf("client%d", i)}
		r.slots = append(r.slots, s)
		clients.Go(func() { r.keep(ctx, s, r.Calls*(i+1)/r.Clients-r.Calls*i/r.Clients, i) })
	}
	if drawn := faultsNamed(r.Faults); len(drawn) > 0 {
		nemesis.Go(func() { r.torment(calling, drawn) })
	}
	clients.Wait()
	done()
	nemesis.Wait()
	r.end(&r.front)
	r.end(&r.back)
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.wrong...)
}

func (r *run) address(s *slot) string { return "unix:" + filepath.Join(r.dir, s.name+".sock") }

// start puts the next process into the place of a service.
func (r *run) start(s *slot) error {
	s.count++
	name := fmt.Sprintf("%s-%d", s.name, s.count)
	cfg := &serviceConfig{Name: name, Dir: r.dir, Address: r.address(s), Tight: s.count%4 == 2}
	if s == &r.front {
		cfg.Back, cfg.Plant = r.address(&r.back), r.Plant
	}
	p, err := stage.Start(name, roleEnv, role{Service: cfg}, true)
	s.now = p
	return err
}

// end ends the process of a service in order.
func (r *run) end(s *slot) {
	if s.now == nil {
		return
	}
	s.now.Signal(syscall.SIGTERM)
	r.complain(s.now.Wait())
	s.now = nil
}

// gone takes note of a process that was killed.
func (r *run) gone(p *stage.Process) {
	<-p.Ended
	r.complain(p.Complaint())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed[p.Name] = true
}

func (r *run) complain(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, err)
}

// keep has one client process after another make calls, until they have made
// so many or ctx ends.
func (r *run) keep(ctx context.Context, s *clientSlot, calls, index int) {
	for n := 1; calls > 0 && ctx.Err() == nil; n++ {
		name := fmt.Sprintf("%s.%d", s.name, n)
		cfg := &clientConfig{
			Name: name, Dir: r.dir, Address: r.address(&r.front), Seed: r.Seed + uint64(index<<32|n), Calls: calls,
			Clients: 2, Workers: 12, Raw: 2, Only: r.Only, Plant: r.Plant, Patient: r.Patient,
		}
		if r.NoRaw || r.Plant == SwapAnswers || r.Plant == LoseItem {
			cfg.Raw = 0 // which would wait for an answer that is kept back, or for items
		}
		p, err := stage.Start(name, roleEnv, role{Client: cfg}, false)
		if err != nil {
			r.complain(err)
			return
		}
		s.now.Store(p)
		stop := context.AfterFunc(ctx, func() { p.Close() })
		select {
		case <-p.Ended:
		case <-ctx.Done():
		}
		err = p.Wait()
		stop()
		s.now.Store(nil)
		if !p.Killed.Load() {
			r.complain(err)
			return
		}
		r.gone(p)
		calls -= r.made(name)
	}
}

// made returns how many calls a process has made.
func (r *run) made(process string) (n int) {
	events, err := readJournal(filepath.Join(r.dir, process+journalEnd), process, true)
	if err != nil {
		return 0 // killed before it had one
	}
	for _, e := range events {
		if e.Kind == Invoke {
			n++
		}
	}
	return n
}

// torment injects one fault after another until ctx ends.
func (r *run) torment(ctx context.Context, drawn []fault) {
	random := rand.New(rand.NewPCG(r.Seed, 1<<63))
	for stage.Pause(ctx, r.Pause.Seconds()*1000*(0.3+1.4*random.Float64())) == nil {
		f := drawn[random.IntN(len(drawn))]
		s := &r.front
		if random.IntN(5) == 0 {
			s = &r.back
		}
		r.Log("%s: %s", s.name, f.name)
		f.inject(&torment{r, ctx, random}, s)
		if s.now == nil && !r.restart(s) {
			return
		}
	}
}

// restart starts a service anew that a fault has ended.
func (r *run) restart(s *slot) bool {
	err := r.start(s)
	r.complain(err)
	return err == nil
}
