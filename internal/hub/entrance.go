package hub

import (
	"slices"
	"strings"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// entrance is a subscription on its way in.
type entrance struct {
	s       *Subscriber
	sub     *subscription
	pattern wire.Pattern
	options *SubscribeOptions

	start   Start
	replays []*replay
	newest  []newest // what Last keeps, and no log does
	after   aftermath
}

// newest is the last event of a name.
type newest struct {
	stream *stream
	rec    store.Record
}

// enterLocked puts the subscription into effect. The locks of matched are
// held: nothing is published on any of them.
func (e *entrance) enterLocked(matched []*stream, fresh Cursor) error {
	s := e.s
	e.start = Start{Cursor: fresh}
	if e.sub.literal {
		e.start.Stream = e.sub.pattern
	}
	for _, in := range matched {
		if err := e.passLocked(in); err != nil {
			return err
		}
	}
	if e.sub.literal && len(matched) == 0 { // it is asked what it would say
		unborn := newStream(StreamOptions{Name: e.sub.pattern}, fresh.Epoch)
		if _, err := unborn.startLocked(e.options.From, true, nil); err != nil {
			return err
		}
	}
	if err := s.hub.index.add(e.sub, s.hub.options.MaxSubscriptions); err != nil {
		return err
	}
	for _, in := range e.sub.counted {
		in.heard.Add(1)
	}
	s.replaying.Store(int32(len(e.replays)))
	for _, r := range e.replays {
		s.queue.catch(r.stream)
	}
	e.pushLocked()
	return nil
}

// passLocked finds where delivery of one stream starts.
func (e *entrance) passLocked(in *stream) error {
	literal := e.sub.literal
	switch {
	case in.Queue:
		return wire.Errorf(wire.CodeInvalidArgument, "%s is a queue: it is read by the members of a group", in.Name)
	case in.Broadcast && literal && e.s.queue.filter != nil:
		return wire.Errorf(wire.CodeInvalidArgument, "%s is a broadcast channel, which nobody filters", in.Name)
	}
	if literal && in.MaxSubscribers > 0 {
		if int(in.heard.Load()) >= in.MaxSubscribers {
			return crowded(in)
		}
		e.sub.counted = append(e.sub.counted, in)
	}
	wanted := func(rec *store.Record) bool { return in.isFor(e.pattern, e.s.queue.filter, rec) }
	at, err := in.startLocked(e.options.From, literal, wanted)
	if err != nil {
		return err
	}
	if at <= in.seq {
		e.replays = append(e.replays, &replay{s: e.s, stream: in, wanted: wanted, topic: in.topicOf(e.topicName(in)), policy: max(e.sub.policy, in.Policy), at: at})
	} else if e.options.From.Kind == FromLast {
		at = e.lastLocked(in, wanted, at)
	}
	e.start.noteLocked(in, at, literal)
	return nil
}

// noteLocked says where delivery of one stream starts.
func (s *Start) noteLocked(in *stream, at uint64, literal bool) {
	cursor := Cursor{Epoch: in.epoch, Seq: at}
	switch {
	case literal:
		s.Cursor, s.Stream = cursor, in.Name
	case cursor.Seq > 1 || cursor.Epoch != s.Epoch:
		if s.Channels == nil {
			s.Channels = map[string]Cursor{}
		}
		s.Channels[in.Name] = cursor
	}
}

// topicName is what gap notices about the stream are called.
func (e *entrance) topicName(in *stream) string {
	if e.sub.literal {
		return e.sub.pattern
	}
	return in.Name
}

// lastLocked notes the last values of a stream that has no log, and returns
// the place of the oldest of them, or else next.
func (e *entrance) lastLocked(in *stream, wanted func(*store.Record) bool, next uint64) (at uint64) {
	at = next
	for _, rec := range in.last {
		if wanted(&rec) {
			e.newest = append(e.newest, newest{in, rec})
			at = min(at, rec.Seq)
		}
	}
	return at
}

// pushLocked queues what comes before the first event of each stream.
func (e *entrance) pushLocked() {
	h := e.s.hub
	if e.options.Snapshot != nil {
		m := &message{channel: []byte(wire.EventChannel(e.sub.pattern)), epoch: []byte(e.start.Epoch), seq: e.start.Seq - 1,
			time: h.clock.milli(), data: e.options.Snapshot, snapshot: true}
		t := newTopic(e.sub.pattern, newStream(StreamOptions{Name: e.start.Stream}, e.start.Epoch))
		m.stream = t.streamName()
		// It comes before all else, and takes the room for that first.
		f := &frame{topic: t, seq: m.seq, paid: e.s.queue.pace.spend(len(m.data)), bytes: h.encoder.frame(m)}
		e.after.add(e.s, e.s.queue.push(f, e.sub.policy, 1))
	}
	slices.SortFunc(e.newest, func(a, b newest) int {
		if a.stream != b.stream {
			return strings.Compare(a.stream.Name, b.stream.Name)
		}
		return int(a.rec.Seq) - int(b.rec.Seq)
	})
	for _, n := range e.newest {
		f := &frame{topic: n.stream.topicOf(n.rec.Name), seq: n.rec.Seq, data: int32(len(n.rec.Data)), bytes: h.encoder.frame(n.stream.replayed(&n.rec, nil))}
		e.after.add(e.s, e.s.queue.push(f, max(e.sub.policy, n.stream.Policy), 1))
	}
}

// begin starts the delivery of what is there already. The notifications come
// from a goroutine, since whoever subscribes may hold locks of a connection.
func (e *entrance) begin() {
	for _, r := range e.replays {
		e.s.laneOf().add(r)
	}
	if !e.after.empty() {
		e.s.hub.start(func() { e.after.run(e.s.hub) })
	}
}

// crowded is the answer to a subscriber too many.
func crowded(s *stream) error {
	return usedUp("subscribers", s.MaxSubscribers, "%s has %d subscribers, which is all it takes", s.Name, s.MaxSubscribers)
}

// usedUp is the answer to one more than there may be.
func usedUp(resource string, limit int, format string, args ...any) error {
	err := wire.Errorf(wire.CodeQuotaExceeded, format, args...)
	err.Details.More = map[string]any{"resource": resource, "limit": limit}
	return err
}
