package hub

import "github.com/ekkojs/ipc/wire"

// The reasons of a gap notice.
const (
	GapSlowConsumer = "slow-consumer" // the subscriber did not take the events in time
	GapExpired      = "expired"       // the limits of the log removed them
	GapDataLoss     = "data-loss"     // the log lost them
)

// gap is a run of events of one name that a subscriber has lost.
type gap struct {
	topic    *topic
	from, to uint64
	count    uint64 // of the events between them, the ones lost
}

// notice is what the subscriber is told.
func (g *gap) notice(reason string) *wire.Gap {
	n := &wire.Gap{From: g.from, To: g.to, Reason: reason}
	if g.count != n.Lost() {
		n.Count = g.count
	}
	return n
}

// gapList holds the gaps that a subscriber has not been told of, oldest
// first, with the runs of one name joined where they touch. They need not
// touch: between two losses the subscriber may have been unsubscribed, and
// what it missed then is no loss. Where the subscriber sees holes anyway,
// they are joined all the same, and only the count is exact.
type gapList struct {
	gaps   []gap
	popped int            // gaps taken from the front so far
	latest map[*topic]int // place of a name's latest gap in gaps, plus popped
}

func (l *gapList) len() int { return len(l.gaps) }

// add counts the event seq of t as lost. Those of one name come in rising
// order. loose: the subscriber does not get all events of t.
func (l *gapList) add(t *topic, seq uint64, loose bool) {
	if place, ok := l.latest[t]; ok {
		if g := &l.gaps[place-l.popped]; g.to+1 == seq || loose {
			g.to = seq
			g.count++
			return
		}
	}
	if l.latest == nil {
		l.latest = make(map[*topic]int)
	}
	l.latest[t] = l.popped + len(l.gaps)
	l.gaps = append(l.gaps, gap{topic: t, from: seq, to: seq, count: 1})
}

// pop removes the oldest gap. There must be one.
func (l *gapList) pop() gap {
	g := l.gaps[0]
	l.gaps[0] = gap{}
	if l.latest[g.topic] == l.popped {
		delete(l.latest, g.topic)
	}
	l.gaps = l.gaps[1:]
	l.popped++
	if len(l.gaps) == 0 {
		*l = gapList{}
	}
	return g
}
