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

// membersConfig is what a process of members of groups is told.
type membersConfig struct {
	Name    string
	Dir     string
	Address string
	Process uint32
	Seed    uint64
	Places  []uint8 // a member each
	Plant   Plant
}

// members is the program of such a process.
type members struct {
	membersConfig
	journal *Journal
	actors  atomic.Uint32
}

// runMembers reads and acknowledges until stdin ends.
func runMembers(cfg membersConfig) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stage.EndWithStdin(stop)
	j, err := OpenJournal(cfg.Dir, cfg.Name)
	if err != nil {
		return err
	}
	p := &members{membersConfig: cfg, journal: j}
	var all sync.WaitGroup
	for i, place := range cfg.Places {
		m := &member{members: p, number: place, place: &Places[place], random: rand.New(rand.NewPCG(cfg.Seed, uint64(i))), room: make(chan struct{}, 32)}
		all.Go(func() { m.work(ctx) })
	}
	all.Wait()
	return nil
}

// member reads one place.
type member struct {
	*members
	number  uint8
	place   *Place
	random  *rand.Rand
	room    chan struct{} // for acknowledgements under way
	settled sync.WaitGroup
}

// work subscribes, and again when that has ended.
func (m *member) work(ctx context.Context) {
	client := connect(ctx, m.Address)
	if client == nil {
		return
	}
	defer client.Close()
	defer m.settled.Wait()
	for ctx.Err() == nil {
		opts := &ipc.SubscribeOptions{From: ipc.FromFirst(), Group: m.place.Group, AckWait: m.place.AckWait, Credit: 64, Filter: m.place.Filter}
		if m.place.Durable {
			opts.Group, opts.Durable = "", m.place.Group
		}
		switch {
		case m.Plant == ImpatientGroup:
			opts.AckWait /= 20
		case m.Plant == IgnoredFilter:
			opts.Filter = ""
		}
		actor := m.Process<<16 | m.actors.Add(1)
		sub, err := client.Subscribe(ctx, m.place.Stream.String(), opts)
		if err != nil {
			stage.Pause(ctx, 20)
			continue
		}
		m.read(ctx, sub, actor)
		m.journal.Write(Event{Kind: Leave, Place: m.number, Actor: actor})
		sub.Close()
	}
}

// read handles events until the subscription ends, or the member has enough of
// it.
func (m *member) read(ctx context.Context, sub *ipc.Subscription, actor uint32) {
	for {
		e, err := sub.Next(ctx)
		if err != nil {
			return
		}
		rec := record(e, m.number, actor)
		if e.Gap != nil {
			m.journal.Write(gapRecord(e, m.number, actor))
		}
		m.journal.Write(rec)
		m.room <- struct{}{}
		lot := m.random.IntN(1000)
		m.settled.Go(func() {
			m.settle(e, rec, lot)
			<-m.room
		})
		switch n := m.random.IntN(20000); {
		case n == 0:
			return
		case n < 6:
			stage.Pause(ctx, 80*m.random.Float64())
		case m.number == placeSlow && n%16 == 0:
			stage.Pause(ctx, 0.5)
		}
	}
}

// record is what is written down of an event that has come.
func record(e *ipc.Event, place uint8, actor uint32) Event {
	rec := Event{Kind: Deliver, Place: place, Actor: actor, Epoch: hashOf(e.Epoch), Seq: e.Seq, Deliveries: uint16(e.Deliveries), Hash: hashOf([]byte(e.Data))}
	rec.Publisher, rec.Counter = named(e.Data)
	if e.Redelivered {
		rec.Flags = Redelivered
	}
	return rec
}

// gapRecord is what is written down of what was lost before it.
func gapRecord(e *ipc.Event, place uint8, actor uint32) Event {
	rec := Event{Kind: Gap, Place: place, Actor: actor, Epoch: hashOf(e.Epoch), Seq: e.Gap.From, To: e.Gap.To, Count: e.Gap.Count}
	if e.Gap.Reason == ipc.GapRestarted {
		rec.Flags = Restarted
	}
	return rec
}

// settle says what became of an event, as lot has it.
func (m *member) settle(e *ipc.Event, rec Event, lot int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rec.Hash, rec.Flags = 0, 0
	var do func() error
	switch {
	case poisoned(rec.Publisher, rec.Counter), lot < 10:
		delay := time.Duration(lot%50) * time.Millisecond
		rec.Kind, rec.Count, do = Nak, uint64(delay), func() error { return e.Nak(ctx, delay) }
	case lot < 11 && e.Deliveries < 2: // it is forgotten, and comes again
		return
	case lot == 11:
		rec.Kind, do = Reject, func() error { return e.Reject(ctx, "nobody wants it") }
	default:
		rec.Kind, do = Ack, func() error { return e.Ack(ctx) }
	}
	m.journal.Write(rec)
	err := do()
	rec.Count = 0
	switch {
	case err == nil:
		rec.Kind = Settled
	case ipc.CodeOf(err) == ipc.CodeNotFound:
		rec.Kind = Unheld
	default:
		rec.Kind = Adrift
	}
	m.journal.Write(rec)
}
