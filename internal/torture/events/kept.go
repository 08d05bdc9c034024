//go:build linux

package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
)

// Config says how to make a history of events that are kept.
type Config struct {
	// Messages is how many are published and acknowledged to their
	// publishers, at least, about.
	Messages int

	// Kills is how often the service is killed, at least.
	Kills int

	// Seed is where everything random begins. The same seed draws the same
	// events and faults; how they meet is up to the machine.
	Seed uint64

	// Limit is the time after which no more is begun. Default 10 minutes.
	Limit time.Duration

	// Pause is about how long nothing happens between two faults. Default
	// 250 ms.
	Pause time.Duration

	// Calm leaves all processes alone.
	Calm bool

	// Patience is for how long, in the end, the groups may get nothing done
	// before they are through; in all they may take four times that. Default
	// 90 seconds.
	Patience time.Duration

	// Plant is the fault put in on purpose. Default none.
	Plant Plant

	// Log is told what happens to the processes. Default nobody.
	Log func(format string, args ...any)
}

// Kept makes a history and checks it. Its error means that there is none worth
// checking, or that a process complained.
func Kept(ctx context.Context, cfg Config) (*Report, error) {
	if !called {
		return nil, errMain
	}
	if cfg.Limit == 0 {
		cfg.Limit = 10 * time.Minute
	}
	if cfg.Pause == 0 {
		cfg.Pause = 250 * time.Millisecond
	}
	if cfg.Patience == 0 {
		cfg.Patience = 90 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = func(string, ...any) {}
	}
	dir, err := os.MkdirTemp("", tempName)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &run{Config: cfg, dir: dir, random: rand.New(rand.NewPCG(cfg.Seed, 1<<63)), counted: map[string]int64{}}
	began := time.Now()
	err = r.run(ctx)
	took := time.Since(began)
	h, readErr := ReadHistory(dir)
	if err := errors.Join(err, readErr); h == nil {
		return nil, err
	}
	report := newReport(h)
	report.Seed, report.Took, report.SlowestStart = cfg.Seed, took, r.slowest
	return report, err
}

// tempName begins the names of the directories that runs work in. They are
// short, for the paths of sockets are.
const tempName = "ekko-ev"

// run is a history in the making.
type run struct {
	Config
	dir     string
	random  *rand.Rand // of the faults
	journal *Journal
	service *stage.Process
	starts  int
	kills   int
	slowest time.Duration

	published int              // receipts of events that are on the disk
	counted   map[string]int64 // up to where, by journal

	slots []*slot
	count uint32 // of processes

	mu    sync.Mutex // guards wrong
	wrong []error
}

// slot is the place of a process that publishes or reads, where one follows
// another.
type slot struct {
	name      string
	program   func(s *slot, name string) program
	places    []uint8
	publisher bool
	relay     *relay
	process   *stage.Process
	number    uint32 // of the process
	count     int
}

func (r *run) complain(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, err)
}

func (r *run) path(name string) string { return filepath.Join(r.dir, name) }

func (r *run) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Limit)
	defer cancel()
	if r.journal, err = OpenJournal(r.dir, "run"); err != nil {
		return err
	}
	defer r.end()
	if err := r.startService(); err != nil {
		return err
	}
	if err := r.startSlots(); err != nil {
		return err
	}
	r.load(ctx)
	r.complain(r.finish())
	r.end()
	return errors.Join(r.wrong...)
}

// startService starts the next process of the service.
func (r *run) startService() error {
	r.starts++
	if r.Plant == ReusedSequence {
		os.RemoveAll(r.path("store"))
	}
	began := time.Now()
	p, err := stage.Start(fmt.Sprintf("service-%d", r.starts), roleEnv, program{Service: &serviceConfig{
		Address: "unix:" + r.path("service.sock"), Store: r.path("store"), Plant: r.Plant}}, true)
	if err == nil {
		r.service = p
		r.slowest = max(r.slowest, time.Since(began))
	}
	return err
}

// startSlots starts all that publish and read.
func (r *run) startSlots() error {
	members := func(s *slot, name string) program {
		return program{Members: &membersConfig{Name: name, Dir: r.dir, Address: "unix:" + s.relay.outer, Process: s.number, Seed: r.seed(s), Places: s.places, Plant: r.Plant}}
	}
	publishers := func(s *slot, name string) program {
		return program{Publisher: &publisherConfig{Name: name, Dir: r.dir, Address: "unix:" + s.relay.outer, Process: s.number, Seed: r.seed(s), Lanes: 32}}
	}
	readers := func(s *slot, name string) program {
		return program{Reader: &readerConfig{Name: name, Dir: r.dir, Address: "unix:" + s.relay.outer, Process: s.number, Seed: r.seed(s), Places: s.places, Plant: r.Plant}}
	}
	r.slots = []*slot{
		{name: "fast", program: members, places: []uint8{placeFast}},
		{name: "slow", program: members, places: []uint8{placeSlow, placeEven}},
		{name: "work1", program: members, places: []uint8{placeA, placeA, placeB, placeTasks}},
		{name: "work2", program: members, places: []uint8{placeA, placeB, placeB, placeTasks}},
		{name: "live", program: readers, places: []uint8{placeLive, placeAgain, placeNews, placeNewsE, placeNewsF}},
		{name: "pub1", program: publishers, publisher: true},
		{name: "pub2", program: publishers, publisher: true},
	}
	for _, s := range r.slots {
		plant := r.Plant
		if s.publisher {
			plant = ""
		}
		var err error
		if s.relay, err = newRelay(r.path(s.name+".sock"), r.path("service.sock"), plant); err != nil {
			return err
		}
		if err := r.startSlot(s); err != nil {
			return err
		}
	}
	return nil
}

// seed is that of one process.
func (r *run) seed(s *slot) uint64 { return r.Seed*1000 + uint64(s.number) }

func (r *run) startSlot(s *slot) (err error) {
	r.count++
	s.count++
	s.number = r.count
	name := fmt.Sprintf("%s.%d", s.name, s.count)
	s.process, err = stage.Start(name, roleEnv, s.program(s, name), false)
	return err
}

// load lets them work, under faults, until there is enough of everything.
func (r *run) load(ctx context.Context) {
	for {
		pause := r.Pause.Seconds() * 1000 * (0.3 + 1.4*r.random.Float64())
		if stage.Pause(ctx, pause) != nil {
			return
		}
		if r.countNew(); r.kills >= r.Kills && r.published >= r.Messages {
			return
		}
		if r.Calm {
			continue
		}
		if err := r.fault(ctx); err != nil {
			r.complain(err)
			return
		}
	}
}

// countNew counts the receipts, of events that are on the disk, that were
// written down since it was called last.
func (r *run) countNew() {
	files, _ := filepath.Glob(r.path("pub*" + journalEnd))
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.NewSectionReader(f, r.counted[path], 1<<40))
		f.Close()
		for ; len(text) >= eventSize; text = text[eventSize:] {
			var e Event
			if e.read(text); e.Kind == Receipt && Places[e.Place].Stream.persistent() {
				r.published++
			}
			r.counted[path] += eventSize
		}
	}
}

// finish ends the publishers, waits for the groups, and writes down what the
// service has.
func (r *run) finish() error {
	var errs []error
	for _, s := range r.slots {
		if s.publisher {
			s.process.Close()
		}
	}
	for _, s := range r.slots {
		if s.publisher {
			errs = append(errs, s.process.Wait())
			s.process = nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := connect(ctx, "unix:"+r.path("service.sock"))
	if client == nil {
		return errors.Join(append(errs, errors.New("the service is not there in the end"))...)
	}
	defer client.Close()
	errs = append(errs, r.drain(client))
	for _, s := range r.slots {
		if s.process != nil {
			s.process.Close()
		}
	}
	for _, s := range r.slots {
		if s.process != nil {
			errs = append(errs, s.process.Wait())
			s.process = nil
		}
	}
	return errors.Join(append(errs, r.dump(client))...)
}

// drain waits until no group has anything to do any more.
func (r *run) drain(client *ipc.Client) error {
	began := time.Now()
	least, since := ^uint64(0), began
	for idle := 0; idle < 3; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		queues, err := client.Queues(ctx)
		cancel()
		if err != nil {
			return fmt.Errorf("waiting for the groups: %w", err)
		}
		left := uint64(0)
		for _, q := range queues {
			for _, g := range q.Groups {
				left += g.Waiting + uint64(g.Pending) + uint64(g.Again)
			}
		}
		if idle++; left > 0 {
			idle = 0
		}
		if left < least {
			least, since = left, time.Now()
		}
		if idle == 0 && (time.Since(since) > r.Patience || time.Since(began) > 4*r.Patience) {
			return fmt.Errorf("the groups are not through after %s, and did something %s ago: %+v", time.Since(began), time.Since(since), queues)
		}
		stage.Pause(context.Background(), 20)
	}
	return nil
}

// dump writes down what the service has.
func (r *run) dump(client *ipc.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	queues, err := client.Queues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		for s := range streams {
			if s.String() != q.Channel {
				continue
			}
			if err := errors.Join(r.dumpLog(ctx, client, s, hashOf(q.Epoch), false), r.dumpLog(ctx, client, s, hashOf(q.Epoch), true)); err != nil {
				return err
			}
			if len(q.Losses) > 0 {
				return fmt.Errorf("the service says that it has lost %v of %s", q.Losses, q.Channel)
			}
		}
	}
	return nil
}

func (r *run) dumpLog(ctx context.Context, client *ipc.Client, s Stream, epoch uint64, dead bool) error {
	for from := uint64(1); ; {
		list, err := client.Messages(ctx, s.String(), dead, from, 1000)
		if err != nil {
			return fmt.Errorf("what %s has (dead letters: %t): %w", s, dead, err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, m := range list {
			e := Event{Kind: Stored, Place: uint8(s), Epoch: epoch, Seq: m.Seq, Hash: hashOf([]byte(m.Data))}
			e.Publisher, e.Counter = named(m.Data)
			if dead {
				e.Kind, e.Seq, e.Deliveries = Dead, m.From, uint16(m.Deliveries)
				e.Place = placeOf(s, m.Group)
			}
			r.journal.Write(e)
			from = m.Seq + 1
		}
	}
}

// placeOf is the place of a group.
func placeOf(s Stream, group string) uint8 {
	for i := range Places {
		if p := &Places[i]; p.Stream == s && p.Role == roleGroup && p.groupName() == group {
			return uint8(i)
		}
	}
	return uint8(s)
}

// end ends everything.
func (r *run) end() {
	for _, s := range r.slots {
		if s.process != nil {
			s.process.Kill()
			<-s.process.Ended
			s.process = nil
		}
		if s.relay != nil {
			s.relay.close()
		}
	}
	if r.service != nil {
		r.service.Signal(syscall.SIGTERM)
		r.complain(r.service.Wait())
		r.service = nil
	}
}
