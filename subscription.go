package ipc

import (
	"context"
	"iter"
	"strings"
	"sync"

	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// Subscription is a stream of events, taken by Next or All. One goroutine
// reads it; Close may be called from any.
type Subscription struct {
	name    string
	pattern wire.Pattern
	opts    SubscribeOptions
	grouped bool                                            // its events are to be acknowledged
	ended   func(*Subscription)                             // undoes what Subscribe did
	told    func(error)                                     // of what no method returns; may be nil
	settle  func(context.Context, *Event, settlement) error // of grouped ones
	grant   func(*session.Session, string, int)             // says how much has been read; nil: nobody asks
	more    func()                                          // gives it more once full has said yes; nil: events come unasked

	// What the reader has in hand.
	taken   *block
	events  []Event // not yet given out
	given   int     // events, to the reader
	passing bool    // nothing of an event is kept when the next one is asked for

	mu        sync.Mutex // guards all below
	waiting   backlog
	asleep    bool          // the reader waits for a token
	ready     chan struct{} // holds it
	err       error         // why there will be no more
	stands    progress
	lost      map[string]*Gap // by stream: before the oldest event of waiting
	coming    map[string]*Gap // by stream: after the newest
	enrolment enrolment
	handed    int  // events, to those that the reader has in hand
	owed      int  // bytes read that the service has not been told of
	stalled   bool // full has said yes, and more has not been called since
}

func newSubscription(pattern string, opts *SubscribeOptions, ended func(*Subscription)) (*Subscription, error) {
	name := string(wire.EventName([]byte(pattern)))
	parsed, err := wire.ParsePattern(name)
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		name: name, pattern: parsed, opts: opts.orDefault(), ended: ended,
		ready: make(chan struct{}, 1),
	}
	if s.opts.Filter != "" {
		if _, err := filter.Parse(s.opts.Filter); err != nil {
			return nil, err
		}
	}
	s.grouped = s.opts.Group != "" || s.opts.Durable != ""
	return s, nil
}

// Pattern returns what was subscribed to.
func (s *Subscription) Pattern() string { return s.name }

// Next returns the next event, waiting for it. The error is ctx's, or
// ErrClosed after Close, or why the subscription ended; events that came
// before are returned first.
func (s *Subscription) Next(ctx context.Context) (*Event, error) {
	if len(s.events) == 0 {
		s.events = make([]Event, eventsAtOnce)
	}
	e := &s.events[0]
	if err := s.next(ctx, e); err != nil {
		return nil, err
	}
	s.events = s.events[1:]
	return e, nil
}

// eventsAtOnce is for how many events memory is taken at once.
const eventsAtOnce = 16

// next is Next into memory of the caller's.
func (s *Subscription) next(ctx context.Context, e *Event) error {
	if s.opts.Limit > 0 && s.given >= s.opts.Limit {
		if !s.grouped { // or else some may not be acknowledged yet
			s.finish(ErrClosed)
		}
		return ErrClosed
	}
	for !s.taken.next(e, s) {
		if more, err := s.take(); err != nil || more {
			if err != nil {
				return err
			}
			continue
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.given++
	return nil
}

// All returns the events until the subscription ends, ctx ends or the loop is
// left, and closes the subscription then. The last pair holds the error,
// unless that is the end of the subscription by Close.
func (s *Subscription) All(ctx context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		defer s.Close()
		for {
			event, err := s.Next(ctx)
			if err == ErrClosed || !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the subscription. It is idempotent.
func (s *Subscription) Close() error {
	s.finish(ErrClosed)
	return nil
}

// finish ends the subscription with the error that Next is to return.
func (s *Subscription) finish(err error) {
	if s.stop(err) && s.ended != nil {
		s.ended(s)
	}
}

// stop notes the error that Next is to return, unless there is one already.
func (s *Subscription) stop(err error) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.err, s.enrolment.entering = err, false
	s.wakeLocked()
	return true
}

func (s *Subscription) wakeLocked() {
	if !s.asleep {
		return
	}
	s.asleep = false
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// wants reports whether an event of a connection's plain subscriptions is for
// this one. What is the protocol's own is for those only who name it.
func (s *Subscription) wants(name, stream string) bool {
	if strings.HasPrefix(name, "ipc.") {
		return name == s.name
	}
	return s.pattern.Match(name) || stream == s.name
}

// offer gives an event to the reader and never waits: the oldest events make
// room for it. An event that has come before is left out, unless it is for a
// group.
func (s *Subscription) offer(a *arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || !a.meta.Snapshot && !s.stands.advance(a.kind, a.meta.Seq) && !s.grouped {
		return
	}
	var gap *Gap
	if s.coming != nil {
		gap = s.coming[a.kind.stream]
		delete(s.coming, a.kind.stream)
	}
	s.waiting.push(a, gap)
	if !s.grouped && s.more == nil { // of a group's events no more come than there is credit for
		s.makeRoomLocked()
	}
	s.wakeLocked()
}

func (s *Subscription) makeRoomLocked() {
	w := &s.waiting
	for w.count > 1 && (w.count > s.opts.Queue || w.held > s.opts.QueueBytes) {
		stream, lost := w.drop()
		s.lostLocked(&s.lost, stream, lost)
	}
}

// lostLocked adds a gap to those that are known.
func (s *Subscription) lostLocked(list *map[string]*Gap, stream string, g *Gap) {
	if g == nil {
		return
	}
	if *list == nil {
		*list = map[string]*Gap{}
	}
	(*list)[stream] = (*list)[stream].and(g)
}

// missed notes what the service says is lost, but for what has come all the
// same: the notice may be for others, who were not as far.
func (s *Subscription) missed(k *eventKind, g *Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.grouped {
		g = s.stands.missing(k, g)
	}
	s.lostLocked(&s.coming, k.stream, g)
}

// The bounds of what waits for a subscription that is given more as it reads.
// All else waits at the hub.
const (
	pacedEvents = 64
	pacedBytes  = 64 << 10
)

// full reports whether enough waits for the reader. It is given more when it
// has taken half of that.
func (s *Subscription) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = s.waiting.count >= pacedEvents || s.waiting.held >= pacedBytes
	return s.stalled
}

// take gives the reader some of what is waiting, or the error if that is
// nothing. With neither the reader is asleep from now on.
func (s *Subscription) take() (more bool, err error) {
	s.mu.Lock()
	more, err = s.takeLocked()
	thirsty := s.stalled && s.waiting.count <= pacedEvents/2 && s.waiting.held <= pacedBytes/2
	if thirsty {
		s.stalled = false
	}
	at, id, read := s.enrolment.reads, s.enrolment.id, s.owed
	if owes := s.grant != nil && s.enrolment.separate && !s.grouped && id != "" && at != nil && read >= s.window()/4; owes {
		s.owed = 0
	} else {
		at = nil
	}
	s.mu.Unlock()
	if at != nil {
		s.grant(at, id, read)
	}
	if thirsty {
		s.more()
	}
	return more, err
}

func (s *Subscription) takeLocked() (more bool, err error) {
	if s.enrolment.entering {
		s.asleep = true
		return false, nil
	}
	s.taken = s.waiting.take(s.taken, s.passing)
	if s.taken == nil {
		s.asleep = s.err == nil
		return false, s.err
	}
	if len(s.lost) > 0 {
		s.taken.addGaps(s.lost)
	}
	s.owed += s.taken.cost()
	s.handed += s.taken.count()
	return true, nil
}

// window is how many bytes of events the service may send before it is told
// that some have been read: half of what waits here without a loss, since
// there may be as much left from the connection before.
func (s *Subscription) window() int {
	return max(min(s.opts.QueueBytes/2, s.opts.Queue/2*eventCost), eventCost)
}

// eventCost is what the smallest event takes of a window.
const eventCost = hub.EventCost

// insertLocked puts a gap before the first event that came by a connection.
func (s *Subscription) insertLocked(stream string, connection uint64, g *Gap) {
	if !s.waiting.insertGap(stream, connection, g) {
		s.lostLocked(&s.coming, stream, g)
	}
}

// wantedLocked is how many more events are to come until there are Limit.
func (s *Subscription) wantedLocked() int {
	return max(s.opts.Limit-s.handed-s.waiting.count, 0)
}

func (s *Subscription) wanted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wantedLocked()
}

// settled says of an event what nobody has said yet.
func (s *Subscription) settled(ctx context.Context, e *Event, what settlement) {
	if e.settled {
		return
	}
	if err := e.settle(ctx, what); err != nil && s.told != nil {
		s.told(err)
	}
}
