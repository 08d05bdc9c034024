package ipc

import (
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// SubscribeOptions adjusts Subscribe. A nil *SubscribeOptions means the
// defaults.
type SubscribeOptions struct {
	// Queue is how many events wait for a reader that is busy, before the
	// oldest are dropped. The reader has as many more in hand. Default 4,096.
	Queue int

	// QueueBytes is the same in bytes of data. Default 8 MiB.
	QueueBytes int

	// From is where the subscription begins. Default with the next event.
	From From

	// Filter leaves out the events whose data does not pass it, at the
	// service: `total > 100 && country == "DE"`. See docs/events.md. Default
	// none.
	Filter string

	// Group makes the subscription one of several members of a group, each
	// event of which goes to one member and has to be acknowledged
	// (Event.Ack). What is not, comes again. The channel must be a queue or
	// persistent. Default none; of a queue, the group "default".
	Group string

	// Durable is a name under which the service remembers what has been
	// acknowledged, so that the subscription goes on there whenever it comes
	// back. There is one subscriber of a name: a new one takes over. The
	// channel must be persistent. Default none.
	Durable string

	// Credit is how many events may be unacknowledged. Default 100, at most
	// 1,000.
	Credit int

	// Limit is how many events are wanted in all: after them Next returns
	// ErrClosed. Of a group no more are taken from the other members, not
	// even by the last acknowledgement; what has been taken may be
	// acknowledged until Close. Default no end.
	Limit int

	// AckWait is how long an event may stay unacknowledged before it is
	// given to somebody else; each member of a group has its own. Default
	// 30 s.
	AckWait time.Duration

	// Disconnect ends the subscription with SLOW_CONSUMER at the service
	// when it does not keep up, instead of dropping the oldest events.
	Disconnect bool
}

// The defaults of SubscribeOptions.
const (
	DefaultQueue      = 4096
	DefaultQueueBytes = 8 << 20
)

func (o *SubscribeOptions) orDefault() SubscribeOptions {
	var out SubscribeOptions
	if o != nil {
		out = *o
	}
	if out.Queue <= 0 {
		out.Queue = DefaultQueue
	}
	if out.QueueBytes <= 0 {
		out.QueueBytes = DefaultQueueBytes
	}
	return out
}

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

	mu       sync.Mutex // guards all below
	waiting  backlog
	asleep   bool          // the reader waits for a token
	ready    chan struct{} // holds it
	err      error         // why there will be no more
	last     map[string]*cursor
	recent   string           // the stream of the last event
	stands   *cursor          // last[recent]
	lost     map[string]*Gap  // by stream: before the oldest event of waiting
	coming   map[string]*Gap  // by stream: after the newest
	reads    *session.Session // that is kept read for it; nil while there is none
	id       string           // at the service; "" while the connection is down
	separate bool             // its events carry id
	agreed   bool             // the service has, once: it is brought back
	place    uint64           // the client's connection that it is on
	entering bool             // what it has missed is not known yet
	handed   int              // events, to those that the reader has in hand
	owed     int              // bytes read that the service has not been told of
	stalled  bool             // full has said yes, and more has not been called since
}

// cursor is the last event of a stream that has come.
type cursor struct {
	epoch string
	seq   uint64
}

// maxCursors bounds the streams of which a subscription knows where it
// stands.
const maxCursors = 4096

func newSubscription(pattern string, opts *SubscribeOptions, ended func(*Subscription)) (*Subscription, error) {
	name := string(wire.EventName([]byte(pattern)))
	parsed, err := wire.ParsePattern(name)
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		name: name, pattern: parsed, opts: opts.orDefault(), ended: ended,
		ready: make(chan struct{}, 1), last: map[string]*cursor{},
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
	s.err, s.entering = err, false
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
	if s.err != nil || !a.meta.Snapshot && !s.advanceLocked(a) {
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

// advanceLocked notes where the subscription stands with an event. It reports
// false if that has come before.
func (s *Subscription) advanceLocked(a *arrival) bool {
	k, seq := a.kind, a.meta.Seq
	if k.epoch == "" {
		return true
	}
	last := s.stands
	if last == nil || k.stream != s.recent {
		if last = s.last[k.stream]; last == nil {
			if len(s.last) >= maxCursors {
				return true
			}
			last = &cursor{}
			s.last[k.stream] = last
		}
		s.recent, s.stands = k.stream, last
	}
	if last.epoch != k.epoch {
		last.epoch, last.seq = k.epoch, 0
	}
	if seq <= last.seq && !s.grouped {
		return false
	}
	last.seq = seq
	return true
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
	if last := s.last[k.stream]; last != nil && last.epoch == k.epoch && !s.grouped {
		g = g.after(last.seq)
	}
	s.lostLocked(&s.coming, k.stream, g)
}

// standAt notes that nothing before these places is to come any more.
func (s *Subscription) standAt(places map[string]Cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream, p := range places {
		last := s.last[stream]
		switch {
		case last == nil && len(s.last) >= maxCursors:
		case last == nil:
			s.last[stream] = &cursor{p.Epoch, p.Seq - 1}
		case last.epoch != p.Epoch:
			last.epoch, last.seq = p.Epoch, p.Seq-1
		default:
			last.seq = max(last.seq, p.Seq-1)
		}
	}
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
	at, id, read := s.reads, s.id, s.owed
	if owes := s.grant != nil && s.separate && !s.grouped && id != "" && at != nil && read >= s.window()/4; owes {
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
	if s.entering {
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

// enter is called before the service is asked, under the id that the events
// will carry ("": none). It returns where the subscription stood.
func (s *Subscription) enter(id string, connection uint64) map[string]cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed = 0
	s.entering, s.separate, s.place = s.err == nil, id != "", connection
	stood := make(map[string]cursor, len(s.last))
	for stream, c := range s.last {
		stood[stream] = *c
	}
	return stood
}

// entered is called when the service has agreed, by the connection of that
// number. stood is where the subscription stood before, and starts where it
// begins now.
func (s *Subscription) entered(id string, connection uint64, stood map[string]cursor, starts map[string]Cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.agreed = id, true
	for stream, start := range starts {
		last, seen := stood[stream]
		if gap := gapBefore(start, last); seen && !s.grouped && gap != nil {
			s.insertLocked(stream, connection, gap)
		}
		if _, seen := s.last[stream]; !seen && len(s.last) < maxCursors {
			s.last[stream] = &cursor{start.Epoch, start.Seq - 1}
		}
	}
	if s.err == nil {
		s.entering = false
		s.wakeLocked()
	}
}

// refused is called when the service has not agreed: the reader need not wait
// for what it would say.
func (s *Subscription) refused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entering = false
	s.wakeLocked()
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

// insertLocked puts a gap before the first event that came by a connection.
func (s *Subscription) insertLocked(stream string, connection uint64, g *Gap) {
	if !s.waiting.insertGap(stream, connection, g) {
		s.lostLocked(&s.coming, stream, g)
	}
}

// left notes that the connection is gone. What the service still says of it
// does not count.
func (s *Subscription) left() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = ""
}

// on reports whether that is the connection it is on, or was last.
func (s *Subscription) on(connection uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place == connection
}

// sharesOn reports whether what comes by a connection without an id is for it.
// By a new connection nothing is until the service has been asked there: it
// would be ahead of what has been missed.
func (s *Subscription) sharesOn(connection uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.separate && s.place == connection
}

// gone reports whether it had a place at the service and wants one again.
func (s *Subscription) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agreed && s.id == "" && s.err == nil && (s.opts.Limit <= 0 || s.wantedLocked() > 0)
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

// leave returns the id at the service, which is no longer valid then.
func (s *Subscription) leave() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.id
	s.id = ""
	return id
}

// is reports whether the service calls it so.
func (s *Subscription) is(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id == id
}

// at returns the id at the service for an event that came by a connection, ""
// if that is not the one there is now.
func (s *Subscription) at(connection, now uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if connection != now {
		return ""
	}
	return s.id
}

// read keeps a session read for it, and the one before no longer.
func (s *Subscription) read(now *session.Session) {
	s.mu.Lock()
	before := s.reads
	s.reads = now
	s.mu.Unlock()
	if now != nil {
		now.KeepReading(true)
	}
	if before != nil {
		before.KeepReading(false)
	}
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

// join says that its events are to be acknowledged, which was not known when
// it was asked for.
func (s *Subscription) join() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grouped = true
}

// mix says that its events may come without an id.
func (s *Subscription) mix() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.separate = false
}
