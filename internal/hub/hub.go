package hub

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// The defaults and ceilings of Options and SubscriberOptions.
const (
	DefaultQueueMessages    = 4096
	DefaultQueueBytes       = 8 << 20
	MaxQueueMessages        = 1 << 20
	MaxQueueBytes           = 64 << 20
	DefaultMaxSubscriptions = 512
	DefaultMaxChannels      = 4096
	DefaultMaxFrame         = 1 << 20
)

// EnvelopeRoom is what Publish keeps free of a frame for everything that is
// not data: the channel (at most 262 bytes), ids, timestamp and metadata. It
// is a constant, so that whether an event is too long does not depend on who
// listens or on the digits of its sequence number.
const EnvelopeRoom = 1024

// Options adjusts New. A nil *Options means the defaults.
type Options struct {
	// QueueMessages and QueueBytes bound what waits for one subscriber.
	// Defaults DefaultQueueMessages and DefaultQueueBytes, ceilings
	// MaxQueueMessages and MaxQueueBytes.
	QueueMessages int
	QueueBytes    int

	// MaxSubscriptions is how many subscriptions one Subscriber may have.
	// Default DefaultMaxSubscriptions.
	MaxSubscriptions int

	// MaxChannels is how many channels have their sequence tracked; see the
	// package comment for what becomes of the others. Default
	// DefaultMaxChannels.
	MaxChannels int

	// MaxFrame is the longest frame that subscribers accept, in bytes. Data
	// is shorter by EnvelopeRoom. Default DefaultMaxFrame.
	MaxFrame int

	// Streams are the declared ones. Events that none of them carries are
	// streams of their own.
	Streams []StreamOptions

	// Now is the clock of timestamps. Default time.Now.
	Now func() time.Time
}

// orDefault returns v, or def when v was left out, at most ceiling.
func orDefault(v, def, ceiling int) int {
	if v <= 0 {
		return def
	}
	return min(v, ceiling)
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	out.QueueMessages = orDefault(out.QueueMessages, DefaultQueueMessages, MaxQueueMessages)
	out.QueueBytes = orDefault(out.QueueBytes, DefaultQueueBytes, MaxQueueBytes)
	out.MaxSubscriptions = orDefault(out.MaxSubscriptions, DefaultMaxSubscriptions, 1<<20)
	out.MaxChannels = orDefault(out.MaxChannels, DefaultMaxChannels, 1<<20)
	out.MaxFrame = orDefault(out.MaxFrame, DefaultMaxFrame, 1<<24-1)
	if out.Now == nil {
		out.Now = time.Now
	}
	return out
}

// Hub fans events out to the subscribers that want them. All methods may be
// called at any time from any goroutine.
//
// Locks are taken in this order: topics.patternMu, topics.mu, stream.mu,
// those of a log, Outlet.mu, index.mu, lane.mu, queue.mu, Hub.mu. No user code
// runs under any of them.
type Hub struct {
	options Options
	clock   clock // of the events
	encoder *encoder
	topics  topics
	index   index
	lastID  atomic.Uint64 // of a subscription

	mu      sync.Mutex // guards closed
	closed  bool
	workers sync.WaitGroup // what start has started
}

// New returns a hub without subscribers and with an epoch of its own.
func New(o *Options) *Hub {
	h := &Hub{options: o.withDefaults()}
	if o != nil {
		h.clock.now = o.Now
	}
	h.encoder = newEncoder(&h.clock)
	h.topics.init(strconv.FormatUint(rand.Uint64(), 36), h.options.MaxChannels, h.options.Streams)
	h.index.init()
	for _, s := range h.topics.streams {
		if s.Block {
			s.crowd = &crowd{hub: h, stream: s}
		}
	}
	return h
}

// BrokenGroup is a group that a log knows and of which it has lost the place.
type BrokenGroup struct{ Stream, Group string }

// OpenGroups opens the groups that the logs know. It comes before the first
// event; the error is a log's. Those that are broken get all that is kept
// once more, and somebody should know.
func (h *Hub) OpenGroups() (broken []BrokenGroup, err error) {
	for _, s := range h.topics.streams {
		if s.Dead == nil {
			continue
		}
		some, err := h.reopenTeams(s)
		if err != nil {
			return nil, err
		}
		broken = append(broken, some...)
		if s.Needs != nil {
			s.Needs.stream.Store(s)
		}
	}
	return broken, nil
}

// Close closes all subscribers and groups and waits for the hub's goroutines.
// The logs stay open. It is idempotent.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, s := range h.topics.streams {
		if s.crowd != nil {
			s.crowd.close()
		}
	}
	for _, s := range h.index.all() {
		s.Close()
	}
	for _, s := range h.topics.streams {
		for _, team := range s.teams.all() {
			team.close()
		}
	}
	h.workers.Wait()
}

// start runs f on a goroutine that Close waits for, unless the hub is closed.
func (h *Hub) start(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.workers.Go(f)
	return true
}

// Go runs f on a goroutine that Close waits for. When the hub is closed it
// does not run.
func (h *Hub) Go(f func()) { h.start(f) }

// Epoch returns the text that tells this hub's sequence numbers from those of
// any other.
func (h *Hub) Epoch() string { return h.topics.epoch }

// Next returns the place that the next event of that name, or of the stream
// of that name, will have.
func (h *Hub) Next(name string) Cursor {
	name = eventName(name)
	h.topics.mu.RLock()
	t, fresh := h.topics.byName[name], Cursor{Epoch: h.topics.epochLocked(), Seq: 1}
	h.topics.mu.RUnlock()
	if t == nil {
		return fresh
	}
	t.stream.mu.Lock()
	defer t.stream.mu.Unlock()
	return t.stream.nextLocked()
}

// Attach adds a subscriber, normally one a connection, with the hub's limits.
// notify (which may be nil) is called when something is waiting for the
// subscriber after nothing was; it must not block, because a publisher is
// calling it. It may come once more after Close.
func (h *Hub) Attach(notify func()) *Subscriber { return h.AttachWith(notify, nil) }

// AttachWith is Attach with limits of the subscriber's own.
func (h *Hub) AttachWith(notify func(), o *SubscriberOptions) *Subscriber {
	s := newSubscriber(h, notify, o)
	h.index.attach(s)
	return s
}

// aftermath is the user code that a publish has to call once it has let go of
// its locks.
type aftermath struct {
	calls  *[]func()
	slow   []slow
	failed []failure
}

// slow is a subscriber whose queue has failed.
type slow struct {
	subscriber *Subscriber
	onSlow     func(error)
}

// failure is a subscriber that cannot go on.
type failure struct {
	subscriber *Subscriber
	err        error
}

func (a *aftermath) empty() bool { return a.calls == nil && len(a.slow) == 0 && len(a.failed) == 0 }

// callLists are lists for aftermath.calls, so that waking somebody costs no
// allocation.
var callLists = sync.Pool{New: func() any { return new([]func()) }}

func (a *aftermath) call(f func()) {
	if f == nil {
		return
	}
	if a.calls == nil {
		a.calls = callLists.Get().(*[]func())
	}
	*a.calls = append(*a.calls, f)
}

// add notes what a push to s has led to.
func (a *aftermath) add(s *Subscriber, o outcome) {
	a.call(o.wake)
	a.call(o.loss)
	if o.failed {
		a.slow = append(a.slow, slow{s, o.onSlow})
	}
}

func (a *aftermath) run(h *Hub) {
	if a.calls != nil {
		for _, call := range *a.calls {
			call()
		}
		clear(*a.calls)
		*a.calls = (*a.calls)[:0]
		callLists.Put(a.calls)
		a.calls = nil
	}
	for _, s := range a.slow {
		s.subscriber.end(nil)
		if s.onSlow != nil {
			s.onSlow(s.subscriber.Err())
		}
	}
	for _, f := range a.failed {
		f.subscriber.fail(f.err)
	}
}

// eventName strips what the channel of an event has before its name.
func eventName(channel string) string { return strings.TrimPrefix(channel, "events.") }

func tooLarge(actual, limit int) error {
	err := wire.Errorf(wire.CodeMessageTooLarge, "event data of %d bytes is over the limit of %d", actual, limit)
	err.Details.More = map[string]any{"actual": actual, "limit": limit}
	return err
}
