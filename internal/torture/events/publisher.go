//go:build linux

package events

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
	"github.com/ekkojs/ipc/wire"
)

// publisherConfig is what a process of publishers is told.
type publisherConfig struct {
	Name    string
	Dir     string
	Address string
	Process uint32
	Seed    uint64
	Lanes   int // publishers, each of which waits for its receipts
}

// lane is one publisher.
type lane struct {
	publisherConfig
	journal   *Journal
	client    *ipc.Client
	random    *rand.Rand
	publisher uint32
	counter   uint32
}

// connect returns a client, however long the service may take to be there; nil
// if ctx ends before.
func connect(ctx context.Context, address string) *ipc.Client {
	for ctx.Err() == nil {
		c, err := ipc.NewClient(ctx, address, &ipc.ClientOptions{Logger: quiet, OnError: func(error) {}, Timeout: 5 * time.Second})
		if err == nil {
			return c
		}
		stage.Pause(ctx, 10)
	}
	return nil
}

// runPublisher publishes until stdin ends, and then until all it has begun has
// a receipt.
func runPublisher(cfg publisherConfig) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stage.EndWithStdin(stop)
	j, err := OpenJournal(cfg.Dir, cfg.Name)
	if err != nil {
		return err
	}
	client := connect(ctx, cfg.Address)
	if client == nil {
		return nil
	}
	defer client.Close()
	errs := make([]error, cfg.Lanes)
	var lanes sync.WaitGroup
	for i := range cfg.Lanes {
		l := &lane{publisherConfig: cfg, journal: j, client: client, random: rand.New(rand.NewPCG(cfg.Seed, uint64(i))),
			publisher: cfg.Process<<8 | uint32(i+1)}
		lanes.Go(func() {
			for ctx.Err() == nil && errs[i] == nil {
				errs[i] = l.publish()
			}
		})
	}
	lanes.Wait()
	return errors.Join(errs...)
}

// draw draws the stream of the next event.
func (l *lane) draw() Stream {
	switch n := l.random.IntN(100); {
	case n < 44:
		return Orders
	case n < 88:
		return Jobs
	case n < 92:
		return Tasks
	}
	return News
}

// lastPatience is how long a publisher tries to get a receipt.
const lastPatience = 60 * time.Second

// publish publishes one event, again and again until it has a receipt.
func (l *lane) publish() error {
	l.counter++
	s := l.draw()
	data := payload(l.publisher, l.counter, l.random.IntN(120))
	e := Event{Place: uint8(s), Publisher: l.publisher, Counter: l.counter, Hash: hashOf(data)}
	opts := &ipc.PublishOptions{ID: fmt.Sprintf("event-%d-%d", l.publisher, l.counter)}
	until := time.Now().Add(lastPatience)
	for {
		e.Kind = Publish
		l.journal.Write(e)
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		r, err := l.client.PublishWith(ctx, s.eventName(l.counter), ipc.Raw(data), opts)
		cancel()
		if err == nil {
			out := e
			out.Kind, out.Epoch, out.Seq = Receipt, hashOf(r.Epoch), r.Seq
			if r.Duplicate {
				out.Flags = Duplicate
			}
			l.journal.Write(out)
			if r.Stream != s.String() {
				return fmt.Errorf("the receipt of an event of %s says that it is on %s", s, r.Stream)
			}
			return nil
		}
		e.Kind = Doubt
		if coded, ok := errors.AsType[*ipc.Error](err); ok && coded.Details.Executed == wire.ExecutedNo {
			e.Kind = Refused
		}
		l.journal.Write(e)
		if time.Now().After(until) {
			return fmt.Errorf("event %d/%d has no receipt after %s: %w", l.publisher, l.counter, lastPatience, err)
		}
		stage.Pause(context.Background(), 2+10*l.random.Float64())
	}
}
