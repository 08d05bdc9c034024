//go:build linux

package events

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
)

// Tally is what a reader of plain events had of one stream, from when it had
// heard of all publishers until it had seen the end of them all.
type Tally struct {
	Process, Read, Stream string

	Delivered  uint64
	Gaps       uint64
	Counted    uint64 // lost, say the gaps
	Skipped    uint64 // lost, say the counters of the publishers: exactly as many
	Unmeasured uint64 // lost before it had heard of all, or when nobody knows how many of them were for it
}

// accounts are those of one subscription, one for each stream.
type accounts struct {
	plainConfig
	name    string
	even    bool // it asks for even events only
	all     bool // it asks for all of each stream
	bad     io.Writer
	said    int // contradictions
	streams map[string]*account
}

// account holds each event of a stream against those before it.
type account struct {
	*accounts
	Tally
	first uint32 // publisher
	quota uint32
	epoch string
	last  uint64
	open  bool                // all publishers have been heard of
	heard int                 // of how many since the last gap
	of    [spoutCount]hearing // by publisher
}

// hearing is what was heard of one publisher.
type hearing struct {
	last  uint32
	since bool // the last gap
	ended bool // beyond its quota
}

func newAccounts(cfg plainConfig, read string, bad io.Writer) *accounts {
	a := &accounts{plainConfig: cfg, name: read, bad: bad, streams: map[string]*account{}}
	a.even = strings.HasSuffix(read, "even")
	a.all = !a.even
	for i, s := range plainStreams {
		if read == "**" || strings.HasPrefix(read, s.name) {
			a.streams[s.name] = &account{accounts: a, Tally: Tally{Process: cfg.Name, Read: read, Stream: s.name}, first: uint32(i), quota: cfg.Quotas[i]}
		}
	}
	return a
}

// maxSaid is how many contradictions one reader writes down.
const maxSaid = 20

func (a *account) add(r Rule, e *ipc.Event, format string, args ...any) {
	if a.said++; a.said > maxSaid {
		return
	}
	p, n := named(e.Data)
	line, err := json.Marshal(Contradiction{Rule: r, Place: a.Process + " " + a.Read + " of " + a.Stream, Publisher: p, Counter: n, Seq: e.Seq, Text: fmt.Sprintf(format, args...)})
	if err == nil {
		_, err = a.bad.Write(append(line, '\n'))
	}
	if err != nil {
		panic("events: a contradiction cannot be written: " + err.Error())
	}
}

// read takes events until all publishers have come to their end.
func (a *accounts) read(ctx context.Context, sub *ipc.Subscription, random *rand.Rand) error {
	defer sub.Close()
	var late *ipc.Event
	for n := 1; !a.over(); n++ {
		e, err := sub.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%s of %s ended: %w", a.name, a.plainConfig.Name, err)
		}
		if a.Plant == SwallowGap {
			e.Gap = nil
		}
		a.take(e)
		switch {
		case a.Plant == LateDuplicate && n%1000 == 500:
			late = e
		case late != nil && n%1000 == 600:
			again := *late
			again.Gap = nil
			a.take(&again)
		}
		if a.Slow && random.IntN(20000) == 0 {
			stage.Pause(ctx, 300*random.Float64())
		}
	}
	a.settle()
	return nil
}

// settle holds what the gaps count against what the publishers do.
func (a *accounts) settle() {
	for _, one := range a.streams {
		if one.Counted != one.Skipped {
			one.add(Accounted, &ipc.Event{Seq: one.last}, "%d events are counted as lost, and %d are missing from the counters of their publishers", one.Counted, one.Skipped)
		}
	}
}

// over reports whether each publisher of each stream has ended, and that
// nothing was lost since.
func (a *accounts) over() bool {
	for _, one := range a.streams {
		if !one.open || one.heard < spoutCount {
			return false
		}
		for _, h := range one.of {
			if !h.ended {
				return false
			}
		}
	}
	return true
}

func (a *accounts) take(e *ipc.Event) {
	one := a.streams[e.Stream]
	if one == nil {
		(&account{accounts: a}).add(Filtered, e, "it is on %s, which was not asked for", e.Stream)
		return
	}
	one.take(e)
}

// take holds an event against those before it.
func (a *account) take(e *ipc.Event) {
	publisher, n := named(e.Data)
	i := (int(publisher) - 1 - int(a.first)) / len(plainStreams)
	switch {
	case publisher == 0 || i < 0 || i >= spoutCount || publisher != plainPublisher(i, int(a.first)) || string(payload(publisher, n, int(n%40))) != string(e.Data):
		a.add(NotInvented, e, "nobody has published %s", e.Data)
		return
	case a.even && n%2 != 0:
		a.add(Filtered, e, "it was not asked for")
		return
	}
	a.follows(e)
	if e.Gap != nil {
		a.gap(e.Gap)
	}
	a.Delivered++
	a.last, a.epoch = e.Seq, e.Epoch
	h := &a.of[i]
	if h.last != 0 {
		step := uint32(1)
		if a.even {
			step = 2
		}
		switch {
		case n <= h.last:
			a.add(InOrder, e, "event %d of its publisher came before it", h.last)
			return
		case a.open:
			a.Skipped += uint64((n-h.last)/step) - 1
		case (n-h.last)/step > 1 && e.Gap == nil:
			a.add(Covered, e, "event %d of its publisher came before it, and no gap was said", h.last)
		}
	}
	h.last, h.ended = n, n > a.quota
	if !h.since {
		h.since = true
		a.heard++
	}
	if !a.open && a.heard == spoutCount {
		a.open = true
	}
}

// follows holds the place of an event against that of the one before it.
func (a *account) follows(e *ipc.Event) {
	g := e.Gap
	switch {
	case a.last == 0:
	case a.epoch != e.Epoch:
		a.add(Covered, e, "the epoch is a new one, and the service is the same")
	case e.Seq <= a.last:
		a.add(NoDuplicate, e, "the event before it was %d", a.last)
	case !a.all:
	case g == nil && e.Seq != a.last+1:
		a.add(Covered, e, "the event before it was %d, and no gap was said", a.last)
	case g != nil && (g.From != a.last+1 || g.To != e.Seq-1 || g.Count != e.Seq-1-a.last):
		a.add(Covered, e, "the event before it was %d, and the gap is %+v", a.last, *g)
	}
}

// gap counts what was lost.
func (a *account) gap(g *ipc.Gap) {
	a.Gaps++
	a.heard = 0
	for i := range a.of {
		a.of[i].since = false
	}
	switch {
	case a.open && (a.all || g.Reason == ipc.GapSlowConsumer):
		a.Counted += g.Count
		return
	case a.open:
		// How many of them were for it nobody knows: what was counted up to
		// here is not complete, so it begins anew.
		a.Unmeasured += g.Count + a.Counted
	default:
		a.Unmeasured += g.Count
	}
	a.open, a.Counted, a.Skipped = false, 0, 0
	for i := range a.of {
		a.of[i].last = 0
	}
}
