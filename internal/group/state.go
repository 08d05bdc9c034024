package group

import (
	"encoding/binary"

	"github.com/ekkojs/ipc/wire"
)

// The state of a group, as it is kept:
//
//	version, flags: a byte each
//	epoch of the log: its length and its text
//	next, claimed, number of entries
//	for each entry: its distance from the one before, deliveries << 1 | dying
//
// All numbers are of variable length.
const stateVersion = 1

const (
	flagExclusive = 1 << iota
	flagUnsure    // whether it is exclusive is not known
)

func (g *Group) encodeLocked(dst []byte, claim uint64) []byte {
	flags := byte(0)
	if g.options.Exclusive {
		flags |= flagExclusive
	}
	if g.unsure {
		flags |= flagUnsure
	}
	dst = append(dst, stateVersion, flags)
	dst = binary.AppendUvarint(dst, uint64(len(g.epoch)))
	dst = append(dst, g.epoch...)
	dst = binary.AppendUvarint(dst, g.next)
	dst = binary.AppendUvarint(dst, claim)
	dst = binary.AppendUvarint(dst, uint64(g.order.length))
	last := uint64(0)
	for e := g.order.head; e != nil; e = e.links[bySeq].next {
		dst = binary.AppendUvarint(dst, e.seq-last)
		count := uint64(e.deliveries) << 1
		if e.state == dying || e.state == undying {
			count |= 1
		}
		dst = binary.AppendUvarint(dst, count)
		last = e.seq
	}
	return dst
}

// loadLocked takes up the state that the log keeps, or begins.
func (g *Group) loadLocked() error {
	first, next := g.log.Bounds()
	g.end, g.dirtyAt = next, never
	kept := g.log.Cursor(prefix + g.name)
	if kept == nil {
		g.next = min(max(g.options.Start, first), next)
		return nil
	}
	s, ok := parseState(kept)
	if !ok {
		// Better all of it once more than some of it never.
		g.broken, g.unsure = true, g.options.AsKept
		g.next, g.suspect = first, next
		return nil
	}
	switch {
	case g.options.AsKept:
		g.options.Exclusive, g.unsure = s.exclusive, s.unsure
	case s.exclusive != g.options.Exclusive && !s.unsure:
		return wire.Errorf(wire.CodeConflict, "the group %q is %s", g.name, kind(s.exclusive))
	}
	if s.epoch != g.epoch {
		// The numbers mean nothing any more. What there is may have been
		// delivered under others.
		g.next, g.suspect = first, next
		return nil
	}
	g.next, g.suspect = min(s.next, next), min(s.claimed, next)
	for _, kept := range s.entries {
		if kept.seq < g.next {
			g.takeUpLocked(kept)
		}
	}
	return nil
}

func kind(exclusive bool) string {
	if exclusive {
		return "one of a single member (durable)"
	}
	return "shared (group)"
}

// takeUpLocked adds an entry of an earlier process. Whoever held it is gone.
func (g *Group) takeUpLocked(kept keptEntry) {
	e := g.newEntryLocked(kept.seq)
	e.deliveries = kept.deliveries
	if most := g.options.MaxDeliver; kept.dying || most > 0 && e.deliveries >= most {
		e.reason = "given up before the service started anew"
		g.laterLocked(e, undying, 0, new(after))
		return
	}
	g.readyLocked(e)
}

type keptState struct {
	exclusive     bool
	unsure        bool
	epoch         string
	next, claimed uint64
	entries       []keptEntry
}

type keptEntry struct {
	seq        uint64
	deliveries int
	dying      bool
}

func parseState(b []byte) (s keptState, ok bool) {
	if len(b) < 2 || b[0] != stateVersion {
		return s, false
	}
	s.exclusive, s.unsure = b[1]&flagExclusive != 0, b[1]&flagUnsure != 0
	p := parser{rest: b[2:]}
	s.epoch = p.text()
	s.next, s.claimed = p.number(), p.number()
	count := p.number()
	if count > uint64(len(p.rest)/2) {
		return s, false
	}
	s.entries = make([]keptEntry, 0, count)
	last := uint64(0)
	for range count {
		step, deliveries := p.number(), p.number()
		if step == 0 || last+step < last || last+step >= s.next || deliveries>>1 > 1<<31 {
			return s, false
		}
		last += step
		s.entries = append(s.entries, keptEntry{seq: last, deliveries: int(deliveries >> 1), dying: deliveries&1 != 0})
	}
	return s, !p.bad && len(p.rest) == 0
}

// parser reads what encodeLocked wrote. After a failure all is 0.
type parser struct {
	rest []byte
	bad  bool
}

func (p *parser) number() uint64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 {
		p.bad, p.rest = true, nil
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

func (p *parser) text() string {
	n := p.number()
	if n > uint64(len(p.rest)) {
		p.bad, p.rest = true, nil
		return ""
	}
	text := string(p.rest[:n])
	p.rest = p.rest[n:]
	return text
}
