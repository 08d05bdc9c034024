package hub

import (
	"bytes"
	"context"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// Publication is an event to be published.
type Publication struct {
	// Name of the event. A leading "events." is ignored.
	Name string

	// Data is JSON, or empty for an event without data. It is put into the
	// frame verbatim. It must not change until the publishing is done, and is
	// not kept afterwards.
	Data []byte

	// ID is the publisher's name for the event. A log that has one of that
	// name already does not take it again. Default a new one.
	ID string

	// Group is the only group of a log's readers that it is for. Default all.
	Group string
}

// Receipt is what came of publishing an event.
type Receipt struct {
	Stream    string
	Cursor         // of the event; of a duplicate, that of the first one
	Duplicate bool // there is one with this ID already: nothing was published

	// Receivers is how many subscribers it was queued for, and Behind how
	// many of those had others waiting before it.
	Receivers, Behind int
}

// Publish gives data to everybody who subscribed to a pattern that matches
// name, and returns when it has a place in its stream, and in the stream's
// log if there is one. It does not wait for any subscriber, but on a stream
// that blocks for room in the log, until ctx ends.
//
// The error is INVALID_NAME, MESSAGE_TOO_LARGE, or one of the log's.
func (h *Hub) Publish(ctx context.Context, p Publication) (Receipt, error) {
	t, err := h.prepare(&p)
	switch {
	case err != nil:
		return Receipt{}, err
	case t.stream.Log == nil:
		return h.publishLive(t, &p), nil
	}
	return h.publishAndWait(ctx, t, p)
}

// publishAndWait is publishKept that waits.
func (h *Hub) publishAndWait(ctx context.Context, t *topic, p Publication) (Receipt, error) {
	type outcome struct {
		Receipt
		err error
	}
	done := make(chan outcome, 1)
	gone := ctx.Done()
	if t.stream.Volatile || t.stream.crowd != nil {
		gone = nil // that takes no time, or the crowd minds ctx
	}
	if gone != nil {
		p.Data = bytes.Clone(p.Data) // the log may need it longer than we stay
	}
	h.publishKept(ctx, t, p, func(r Receipt, err error) { done <- outcome{r, err} })
	select {
	case out := <-done:
		return out.Receipt, out.err
	case <-gone:
	}
	select {
	case out := <-done:
		return out.Receipt, out.err
	default:
	}
	err := wire.Errorf(wire.CodeOf(ctx.Err()), "the log of %s has not confirmed it in time: %w", t.stream.Name, ctx.Err())
	err.Details.Executed, err.Details.Origin = wire.ExecutedMaybe, wire.OriginService
	return Receipt{}, err
}

// PublishThen is Publish that does not wait: done is called once, perhaps
// before it returns, and with no lock held. It must be quick.
func (h *Hub) PublishThen(ctx context.Context, p Publication, done func(Receipt, error)) {
	t, err := h.prepare(&p)
	switch {
	case err != nil:
		done(Receipt{}, err)
	case t.stream.Log == nil:
		done(h.publishLive(t, &p), nil)
	default:
		h.publishKept(ctx, t, p, done)
	}
}

// Heard reports whether anybody would get an event of that name.
func (h *Hub) Heard(name string) bool {
	t := h.topics.find(eventName(name))
	if t == nil {
		return false
	}
	t.stream.mu.Lock()
	defer t.stream.mu.Unlock()
	t.matchLocked(&h.index)
	return len(t.targets) > 0
}

// Keeps reports whether the events of that name go to a log, and whether that
// takes time: that of a disk, or of a wait for room.
func (h *Hub) Keeps(name string) (keeps, slowly bool) {
	t := h.topics.find(eventName(name))
	if t == nil || t.stream.Log == nil {
		return false, false
	}
	return true, !t.stream.Volatile || t.stream.crowd != nil
}

// Fits says why an event with that data cannot be published, nil if it can.
func (h *Hub) Fits(data []byte) error {
	if room := h.options.MaxFrame - EnvelopeRoom; len(data) > room {
		return tooLarge(len(data), room)
	}
	return nil
}

// prepare checks p and finds where it goes.
func (h *Hub) prepare(p *Publication) (*topic, error) {
	if err := h.Fits(p.Data); err != nil {
		return nil, err
	}
	if n := idLength(p.ID); n > store.MaxIDSize {
		return nil, wire.Errorf(wire.CodeInvalidArgument, "the messageId of an event has %d bytes, over %d", n, store.MaxIDSize)
	}
	if len(p.Data) == 0 {
		p.Data = nil // an empty text is not JSON
	}
	p.Name = eventName(p.Name)
	return h.topics.get(p.Name)
}

// idLength is how many bytes id takes in a frame: what has to be escaped
// counts as that, so that it is never more than there is room for.
func idLength(id string) int {
	if id == "" || len(id) > store.MaxIDSize {
		return len(id)
	}
	var room [6*store.MaxIDSize + 2]byte
	return len(wire.AppendString(room[:0], id)) - 2
}

// publishLive publishes on a stream without a log.
func (h *Hub) publishLive(t *topic, p *Publication) Receipt {
	for {
		var after aftermath
		if r, ok := h.countAndSpread(t, p, &after); ok {
			after.run(h)
			return r
		}
		// It was forgotten between get and here: once more, under its new
		// epoch. The name was checked before.
		t, _ = h.topics.get(p.Name)
	}
}

// countAndSpread gives an event the next number. The stream's lock is held
// until everybody has been offered the frame: that is what makes every queue
// agree with the sequence. It is not ok if the stream is forgotten.
func (h *Hub) countAndSpread(t *topic, p *Publication, after *aftermath) (r Receipt, ok bool) {
	s := t.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forgotten {
		return Receipt{}, false
	}
	now := h.clock.milli()
	// One event alone is not a use, or else a burst of names that are
	// published on once would push out the busy ones.
	t.used = t.used || s.seq > 0
	s.seq++
	if s.last != nil {
		if p.ID == "" {
			p.ID = wire.NewUUID() // so that it is the same whenever it is sent
		}
		s.last[t.name] = store.Record{Seq: s.seq, Time: now, ID: p.ID, Name: t.name, Data: append([]byte(nil), p.Data...)}
	}
	return h.spreadLocked(t, p, now, after), true
}

// spreadLocked offers the event that has the stream's number to those who
// want it.
func (h *Hub) spreadLocked(t *topic, p *Publication, now int64, after *aftermath) Receipt {
	s := t.stream
	s.published++
	r := Receipt{Stream: s.Name, Cursor: Cursor{s.epoch, s.seq}}
	if t.matchLocked(&h.index); len(t.targets) == 0 || p.Group != "" {
		return r
	}
	m := message{channel: t.channel, stream: t.streamName(), epoch: s.inFrames, seq: s.seq, id: p.ID, time: now, data: p.Data}
	f := s.press.frame(t, &m, len(t.targets))
	kept := 0 // of the references to f
	for _, to := range t.targets {
		q := &to.subscriber.queue
		if q.filter != nil && !q.filter.Match(p.Data) {
			continue
		}
		o := q.push(f, max(to.policy, s.Policy), len(t.targets))
		if o.accepted {
			r.Receivers++
		}
		if o.kept {
			kept++
		}
		if o.behind {
			r.Behind++
		}
		after.add(to.subscriber, o)
	}
	if rest := len(t.targets) - kept; rest > 0 {
		f.sheet.release(int32(rest))
	}
	return r
}

// publishKept publishes on a stream with a log: subscribers get the event
// when the log has it.
func (h *Hub) publishKept(ctx context.Context, t *topic, p Publication, done func(Receipt, error)) {
	if p.ID == "" {
		p.ID = wire.NewUUID() // so that it is the same whenever it is read
	}
	rec := store.Record{Name: t.name, Data: p.Data, ID: p.ID, Group: p.Group, Time: h.clock.milli()}
	keep := t.stream.Log.Append
	if t.stream.crowd != nil {
		keep = func(rec store.Record, done func(store.Receipt)) { t.stream.crowd.append(ctx, rec, done) }
	}
	keep(rec, func(kept store.Receipt) {
		if kept.Err != nil {
			done(Receipt{}, kept.Err)
			return
		}
		r := Receipt{Stream: t.stream.Name, Cursor: Cursor{t.stream.epoch, kept.Seq}, Duplicate: kept.Duplicate}
		if !kept.Duplicate {
			r = h.spreadKept(t, &p, kept.Seq, rec.Time)
		}
		done(r, nil)
	})
}

// spreadKept offers an event that is in the log. The log calls in the order
// of the numbers.
func (h *Hub) spreadKept(t *topic, p *Publication, seq uint64, now int64) Receipt {
	var after aftermath
	s := t.stream
	s.mu.Lock()
	s.seq = seq
	r := h.spreadLocked(t, p, now, &after)
	s.mu.Unlock()
	after.run(h)
	for _, team := range s.teams.all() {
		team.group.Appended(seq)
		if !s.Queue {
			continue
		}
		if st := team.group.Stats(); st.Members > 0 {
			r.Receivers++
			if st.Waiting > 1 {
				r.Behind++
			}
		}
	}
	return r
}

// topicOf returns the topic of an event in a declared stream, also of one
// that is declared no longer and stands in its log. It may be called with any
// locks held: the table of topics is not asked.
func (s *stream) topicOf(name string) *topic {
	if t := s.carried[name]; t != nil {
		return t
	}
	return newTopic(name, s)
}

// replayed is the message of a record.
func (s *stream) replayed(rec *store.Record, tag []byte) *message {
	t := s.topicOf(rec.Name)
	return &message{channel: t.channel, stream: t.streamName(), epoch: s.inFrames, seq: rec.Seq,
		id: rec.ID, time: rec.Time, data: rec.Data, tag: tag}
}
