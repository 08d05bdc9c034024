package group

import (
	"strconv"
	"strings"
	"time"
)

// Ack says that m has handled the records. It returns those that m does not
// hold: they are unknown, done already, or were taken from it.
func (g *Group) Ack(m *Member, seqs []uint64) (unknown []uint64) {
	return g.answer(m, seqs, answer{kind: acked})
}

// Nak says that m cannot handle the records now: they are delivered again
// after the delay. It returns those that m does not hold.
func (g *Group) Nak(m *Member, seqs []uint64, delay time.Duration) (unknown []uint64) {
	return g.answer(m, seqs, answer{kind: givenBack, delay: min(delay, MaxDelay)})
}

// MaxReason is how many bytes are kept of why a record was rejected.
const MaxReason = 1024

// Reject says that nobody can handle the records: they become dead letters
// at once. It returns those that m does not hold.
func (g *Group) Reject(m *Member, seqs []uint64, reason string) (unknown []uint64) {
	if reason == "" {
		reason = "rejected"
	}
	// It becomes part of JSON, which a character cut in two is not.
	reason = strings.ToValidUTF8(reason[:min(len(reason), MaxReason)], "")
	return g.answer(m, seqs, answer{kind: rejected, reason: reason})
}

// answer is what a member says of a record.
type answer struct {
	kind   answerKind
	delay  time.Duration
	reason string
}

type answerKind uint8

const (
	acked answerKind = iota
	givenBack
	rejected
)

func (g *Group) answer(m *Member, seqs []uint64, a answer) (unknown []uint64) {
	var after after
	g.mu.Lock()
	for _, seq := range seqs {
		if e := g.entries[seq]; m.group == g && e != nil && e.state == held && e.holder == m {
			g.answerLocked(e, a, &after)
		} else {
			unknown = append(unknown, seq)
		}
	}
	back := m.group == g && g.heardLocked(m)
	switch {
	case len(unknown) < len(seqs):
		g.answeredLocked(&after)
	case back:
		g.wakeLocked(&after, 1)
	}
	g.mu.Unlock()
	after.run(g)
	return unknown
}

func (g *Group) answerLocked(e *entry, a answer, after *after) {
	switch a.kind {
	case acked:
		g.stats.Acked++
		g.detachLocked(e)
		g.finishLocked(e)
	case givenBack:
		g.releaseLocked(e, a.delay, "it was given back", after)
	case rejected:
		g.stats.Rejected++
		g.detachLocked(e)
		g.giveUpLocked(e, a.reason, after)
	}
}

// answeredLocked sees to what any answer leads to.
func (g *Group) answeredLocked(after *after) {
	switch {
	case g.options.Volatile:
	case g.changes >= flushAcks:
		g.flushLocked(after)
	case g.dirtyAt == never:
		g.dirtyLocked(g.now(), after)
	}
	g.wakeLocked(after, 0)
}

// releaseLocked takes an entry from its holder: it is delivered again, or was
// so often enough.
func (g *Group) releaseLocked(e *entry, delay time.Duration, why string, after *after) {
	g.detachLocked(e)
	g.changedLocked()
	switch most := g.options.MaxDeliver; {
	case most > 0 && e.deliveries >= most:
		g.giveUpLocked(e, why+", delivered "+strconv.Itoa(e.deliveries)+" times", after)
	case delay > 0:
		g.laterLocked(e, later, g.now()+delay, after)
	default:
		g.readyLocked(e)
	}
}
