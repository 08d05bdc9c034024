package hub

// GapSlowConsumer is the reason of a gap notice: the events were dropped
// because the subscriber did not take them in time.
const GapSlowConsumer = "slow-consumer"

// gap is a run of events of one channel that a subscriber has lost.
type gap struct {
	topic    *topic
	from, to uint64
}

// gapList holds the gaps that a subscriber has not been told of, oldest
// first, with the runs of one channel joined where they touch. They need not
// touch: between two losses the subscriber may have been unsubscribed, and
// what it missed then is no loss.
type gapList struct {
	gaps   []gap
	popped int            // gaps taken from the front so far
	latest map[*topic]int // place of a channel's latest gap in gaps, plus popped
}

func (l *gapList) len() int { return len(l.gaps) }

// add counts the event seq of t as lost. Those of one channel come in rising
// order.
func (l *gapList) add(t *topic, seq uint64) {
	if place, ok := l.latest[t]; ok {
		if g := &l.gaps[place-l.popped]; g.to+1 == seq {
			g.to = seq
			return
		}
	}
	if l.latest == nil {
		l.latest = make(map[*topic]int)
	}
	l.latest[t] = l.popped + len(l.gaps)
	l.gaps = append(l.gaps, gap{topic: t, from: seq, to: seq})
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
