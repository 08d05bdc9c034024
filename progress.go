package ipc

// progress is where a subscription stands in each stream: the last event that
// has come. It tells what has come before, and after a lost connection where
// to go on and what is missing.
type progress struct {
	last   map[string]*cursor
	recent string  // the stream of the last event
	stands *cursor // last[recent]
}

// cursor is an event of a stream.
type cursor struct {
	epoch string
	seq   uint64
}

// maxCursors bounds the streams of which a subscription knows where it
// stands.
const maxCursors = 4096

// advance notes an event, and reports false if it has come before.
func (p *progress) advance(k *eventKind, seq uint64) bool {
	if k.epoch == "" {
		return true
	}
	last := p.stands
	if last == nil || k.stream != p.recent {
		if last = p.of(k.stream); last == nil {
			return true
		}
		p.recent, p.stands = k.stream, last
	}
	if last.epoch != k.epoch {
		last.epoch, last.seq = k.epoch, 0
	}
	if seq <= last.seq {
		return false
	}
	last.seq = seq
	return true
}

// of returns the place in a stream, to be changed; nil if there are too many.
func (p *progress) of(stream string) *cursor {
	last := p.last[stream]
	if last == nil && len(p.last) < maxCursors {
		if p.last == nil {
			p.last = map[string]*cursor{}
		}
		last = &cursor{}
		p.last[stream] = last
	}
	return last
}

// now returns a copy of all places.
func (p *progress) now() map[string]cursor {
	now := make(map[string]cursor, len(p.last))
	for stream, c := range p.last {
		now[stream] = *c
	}
	return now
}

// skip notes that nothing before these places is to come any more.
func (p *progress) skip(places map[string]Cursor) {
	for stream, to := range places {
		c := p.of(stream)
		switch {
		case c == nil:
		case c.epoch != to.Epoch:
			*c = cursor{to.Epoch, max(to.Seq, 1) - 1}
		default:
			c.seq = max(c.seq, max(to.Seq, 1)-1)
		}
	}
}

// missing returns what of a gap has not come all the same; nil if that is
// nothing.
func (p *progress) missing(k *eventKind, g *Gap) *Gap {
	if last := p.last[k.stream]; last != nil && last.epoch == k.epoch {
		return g.after(last.seq)
	}
	return g
}

// gapBefore returns what is missing between two places, nil if nothing is.
func gapBefore(start Cursor, last cursor) *Gap {
	switch {
	case start.Epoch != last.epoch:
		return &Gap{From: last.seq + 1, Reason: GapRestarted}
	case start.Seq > last.seq+1:
		return &Gap{From: last.seq + 1, To: start.Seq - 1, Count: start.Seq - 1 - last.seq, Reason: GapLost}
	}
	return nil
}
