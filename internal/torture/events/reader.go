//go:build linux

package events

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
)

// readerConfig is what a process of readers outside of groups is told.
type readerConfig struct {
	Name    string
	Dir     string
	Address string
	Process uint32
	Seed    uint64
	Places  []uint8
	Plant   Plant
}

// reader is the program of such a process.
type reader struct {
	readerConfig
	journal *Journal
	actors  atomic.Uint32

	mu   sync.Mutex // guards seen
	seen []ipc.Cursor
}

// runReader reads until stdin ends and nothing comes any more.
func runReader(cfg readerConfig) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stage.EndWithStdin(stop)
	j, err := OpenJournal(cfg.Dir, cfg.Name)
	if err != nil {
		return err
	}
	r := &reader{readerConfig: cfg, journal: j}
	var all sync.WaitGroup
	for i, place := range cfg.Places {
		random := rand.New(rand.NewPCG(cfg.Seed, uint64(i)))
		all.Go(func() { r.work(ctx, place, random) })
	}
	all.Wait()
	return nil
}

// quietTime is for how long nothing has come when a reader has all there is.
const quietTime = 500 * time.Millisecond

// work reads one place.
func (r *reader) work(ctx context.Context, number uint8, random *rand.Rand) {
	p := &Places[number]
	pattern := p.Pattern
	if pattern == "" {
		pattern = p.Stream.String()
	}
	client := connect(ctx, r.Address)
	if client == nil {
		return
	}
	defer client.Close()
	for ctx.Err() == nil {
		opts := &ipc.SubscribeOptions{Filter: p.Filter, Queue: 600}
		if r.Plant == IgnoredFilter {
			opts.Filter = ""
		}
		want := ipc.Cursor{}
		if number == placeAgain {
			stage.Pause(ctx, 50)
			if want = r.remembered(random); want.Seq == 0 {
				continue
			}
			opts.From = ipc.FromSeq(want.Epoch, want.Seq)
		}
		sub, err := client.Subscribe(ctx, pattern, opts)
		if err != nil {
			stage.Pause(ctx, 20)
			continue
		}
		r.read(ctx, sub, number, want.Seq, random)
		sub.Close()
	}
}

// again is how many events are read once more at a time.
const again = 200

// read writes down what a subscription gets, until it ends or ctx has ended
// and nothing comes.
func (r *reader) read(ctx context.Context, sub *ipc.Subscription, number uint8, want uint64, random *rand.Rand) {
	actor := r.Process<<16 | r.actors.Add(1)
	var late *ipc.Event
	for n := 1; number != placeAgain || n <= again; n++ {
		e := next(ctx, sub, number == placeAgain)
		if e == nil {
			return
		}
		if e.Gap != nil && r.Plant != SwallowGap {
			r.journal.Write(gapRecord(e, number, actor))
		}
		rec := record(e, number, actor)
		rec.To = want
		want = 0
		r.journal.Write(rec)
		if r.Plant == LateDuplicate && n%100 == 50 {
			late = e
		}
		if late != nil && n%100 == 60 {
			r.journal.Write(record(late, number, actor))
		}
		if number == placeLive && n%64 == 0 {
			r.remember(e, random)
		}
		if number != placeAgain && random.IntN(4000) == 0 {
			stage.Pause(ctx, 600*random.Float64())
		}
	}
}

// next returns the next event; nil when the subscription has ended, or when
// nothing comes and nothing is expected.
func next(ctx context.Context, sub *ipc.Subscription, brief bool) *ipc.Event {
	for {
		waiting, cancel := context.WithTimeout(context.Background(), quietTime)
		e, err := sub.Next(waiting)
		cancel()
		if err == nil {
			return e
		}
		if err != context.DeadlineExceeded || ctx.Err() != nil || brief {
			return nil
		}
	}
}

// remember notes a place to come back to.
func (r *reader) remember(e *ipc.Event, random *rand.Rand) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := ipc.Cursor{Epoch: e.Epoch, Seq: e.Seq}
	if len(r.seen) < 1000 {
		r.seen = append(r.seen, c)
	} else {
		r.seen[random.IntN(len(r.seen))] = c
	}
}

func (r *reader) remembered(random *rand.Rand) ipc.Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) == 0 {
		return ipc.Cursor{}
	}
	return r.seen[random.IntN(len(r.seen))]
}
