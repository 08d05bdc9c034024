package hub

import (
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// replay gives a subscriber the events of a stream from its log, until it has
// caught up with those that are published. Its queue leaves those out
// meanwhile.
type replay struct {
	s      *Subscriber
	stream *stream
	wanted func(*store.Record) bool
	topic  *topic // what gap notices are about
	policy Policy
	at     uint64 // the first event not yet delivered
	apart  bool   // the next ones cannot be joined to those that are published
	recs   []store.Record
}

const (
	// replayBatch is how many records are read at once.
	replayBatch = 128
	// replayRest is how many records at most are delivered while the stream
	// is held up, so that one that is published on all the time can be caught
	// up with.
	replayRest = 256
	// restBytes is how much data those have at most.
	restBytes = 256 << 10
)

// next implements source.
func (r *replay) next(dst []byte, room int, drained bool) ([]byte, sourceState) {
	until := r.stream.seqNow()
	if left := until + 1 - min(r.at, until+1); left == 0 || left <= r.joinable(replayRest) && !r.apart {
		if !drained {
			return dst, sourceStalled
		}
		return dst, r.join()
	}
	pace := &r.s.queue.pace
	if pace.spent() {
		return dst, sourceIdle // until it is granted more
	}
	recs, err := r.read(min(replayBatch, 1+room/entryCost), room)
	if err != nil {
		r.s.fail(err)
		return dst, sourceOver
	}
	e, delivered := r.s.hub.encoder, uint64(0)
	for i := range recs {
		rec := &recs[i]
		if rec.Seq > until {
			break
		}
		wanted := r.wanted(rec)
		if wanted && !pace.spend(len(rec.Data)) {
			break
		}
		dst = r.jump(dst, rec.Seq)
		r.at++
		if wanted {
			dst = e.append(dst, r.stream.replayed(rec, r.s.queue.tag))
			delivered++
		}
	}
	if len(recs) == 0 || recs[0].Seq > until {
		dst = r.jump(dst, until+1) // all of it is gone
	}
	r.apart = false
	r.s.queue.countPast(delivered, delivered, 0)
	return dst, sourceMore
}

// joinable is how many events may be joined to those that are published: most,
// or as many as there is room for.
func (r *replay) joinable(most int) uint64 {
	return uint64(max(min(r.s.queue.room(), most), 0))
}

// read returns records from r.at on.
func (r *replay) read(most, room int) ([]store.Record, error) {
	var err error
	r.recs, err = r.stream.Log.Read(r.recs[:0], r.at, most, room)
	return r.recs, err
}

// jump goes on to an event, and says so if others stood before it.
func (r *replay) jump(dst []byte, to uint64) []byte {
	from := r.at
	if r.at = max(r.at, to); r.at == from {
		return dst
	}
	r.s.queue.countPast(to-from, 0, to-from)
	gap := &wire.Gap{From: from, To: to - 1, Reason: lossReason(r.stream.Log, from, to-1)}
	e := r.s.hub.encoder
	return e.append(dst, e.gapMessage(r.topic, gap, r.s.queue.tag))
}

// lossReason tells why a log does not have some records any more.
func lossReason(log store.Log, from, to uint64) string {
	for _, l := range log.Losses() {
		if l.From <= to && l.To >= from {
			return GapDataLoss
		}
	}
	return GapExpired
}

// join delivers the rest while nothing can be published, and lets the queue
// have the stream from then on.
func (r *replay) join() sourceState {
	s, h := r.stream, r.s.hub
	var after aftermath
	defer func() { after.run(h) }()
	s.mu.Lock()
	defer s.mu.Unlock()
	rest, ok, err := r.restLocked()
	switch {
	case err != nil:
		after.failed = append(after.failed, failure{r.s, err})
		return sourceOver
	case !ok:
		r.apart = true
		return sourceMore
	}
	var missing []entry
	for i := range rest {
		if rec := &rest[i]; r.wanted(rec) {
			f := &frame{topic: s.topicOf(rec.Name), seq: rec.Seq, data: int32(len(rec.Data)), bytes: h.encoder.frame(s.replayed(rec, nil))}
			missing = append(missing, entry{f, r.policy, entryCost + int32(len(f.bytes))})
		}
	}
	o, ok := r.s.queue.caught(s, missing)
	if !ok {
		r.apart = true
		return sourceMore
	}
	after.add(r.s, o)
	return sourceOver
}

// restLocked returns all that is missing, if it is whole and little.
func (r *replay) restLocked() (rest []store.Record, ok bool, err error) {
	last := r.stream.seq
	if last+1-min(r.at, last+1) > r.joinable(2*replayRest) {
		return nil, false, nil // it was published on meanwhile
	}
	rest = r.recs[:0]
	size := 0
	for at := r.at; at <= last; {
		read := len(rest)
		if rest, err = r.stream.Log.Read(rest, at, int(last+1-at), 1<<20); err != nil {
			return nil, false, err
		}
		for _, rec := range rest[read:] {
			if size += len(rec.Data); rec.Seq != at || size > restBytes {
				return nil, false, nil
			}
			at++
		}
		if len(rest) == read {
			return nil, false, nil
		}
	}
	return rest, true, nil
}
