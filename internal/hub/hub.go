package hub

import (
	"math/rand/v2"
	"strconv"
	"strings"
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

// envelopeRoom is what Publish keeps free of a frame for everything that is
// not data: the channel (at most 262 bytes), ids, timestamp and metadata. It
// is a constant, so that whether an event is too long does not depend on who
// listens or on the digits of its sequence number.
const envelopeRoom = 1024

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
	// may be 1 KiB shorter. Default DefaultMaxFrame.
	MaxFrame int

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
// Locks are taken in this order: topics.patternMu, topics.mu, topic.mu,
// index.mu, queue.mu. No user code runs under any of them.
type Hub struct {
	options Options
	encoder *encoder
	topics  topics
	index   index
}

// New returns a hub without subscribers and with an epoch of its own.
func New(o *Options) *Hub {
	h := &Hub{options: o.withDefaults()}
	h.encoder = newEncoder(h.options.Now)
	h.topics.init(strconv.FormatUint(rand.Uint64(), 36), h.options.MaxChannels)
	h.index.init()
	return h
}

// Epoch returns the text that tells this hub's sequence numbers from those of
// any other.
func (h *Hub) Epoch() string { return h.topics.epoch }

// Publish gives data to everybody who subscribed to a pattern that matches
// name, and returns the event's sequence number and how many subscribers it
// was queued for. It does not wait for any of them.
//
// data must be valid JSON, or empty for an event without data; it is put into
// the frame verbatim, and not kept. A leading "events." of name is ignored.
// The error is INVALID_NAME or MESSAGE_TOO_LARGE, with nothing published.
func (h *Hub) Publish(name string, data []byte) (seq uint64, receivers int, err error) {
	if room := h.options.MaxFrame - envelopeRoom; len(data) > room {
		return 0, 0, tooLarge(len(data), room)
	}
	if len(data) == 0 {
		data = nil // an empty text is not JSON
	}
	name = eventName(name)
	var few [16]func() // so that waking a few costs no allocation
	for {
		t, err := h.topics.get(name)
		if err != nil {
			return 0, 0, err
		}
		// Not ok means that the channel was forgotten between get and here:
		// once more, under its new epoch.
		if p, ok := h.publishOn(t, data, aftermath{wake: few[:0]}); ok {
			p.after.run(h)
			return p.seq, p.receivers, nil
		}
	}
}

// published is what came of publishOn.
type published struct {
	seq       uint64
	receivers int
	after     aftermath
}

// publishOn counts one event of t and offers its frame to those who want it.
// It is not ok if t is forgotten. The topic's lock is held until everybody
// has been offered the frame: that is what makes every queue agree with the
// sequence.
func (h *Hub) publishOn(t *topic, data []byte, after aftermath) (p published, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.forgotten {
		return published{}, false
	}
	// One event alone is not a use, or else a burst of channels that are
	// published on once would push out the busy ones.
	t.used = t.used || t.seq > 0
	t.seq++
	t.matchLocked(&h.index)
	if len(t.targets) == 0 {
		return published{seq: t.seq}, true
	}
	f := &frame{topic: t, seq: t.seq, bytes: h.encoder.event(t, t.seq, data)}
	for _, to := range t.targets {
		o := to.subscriber.queue.push(f, to.policy)
		if o.accepted {
			p.receivers++
		}
		if o.wake != nil {
			after.wake = append(after.wake, o.wake)
		}
		if o.failed {
			after.slow = append(after.slow, slow{to.subscriber, o.onSlow})
		}
	}
	p.seq, p.after = t.seq, after
	return p, true
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
	wake []func()
	slow []slow
}

// slow is a subscriber whose queue has failed.
type slow struct {
	subscriber *Subscriber
	onSlow     func(error)
}

func (a aftermath) run(h *Hub) {
	for _, notify := range a.wake {
		notify()
	}
	for _, s := range a.slow {
		h.index.detach(s.subscriber)
		if s.onSlow != nil {
			s.onSlow(s.subscriber.Err())
		}
	}
}

// eventName strips what the channel of an event has before its name.
func eventName(channel string) string { return strings.TrimPrefix(channel, "events.") }

func tooLarge(actual, limit int) error {
	err := wire.Errorf(wire.CodeMessageTooLarge, "event data of %d bytes is over the limit of %d", actual, limit)
	err.Details.More = map[string]any{"actual": actual, "limit": limit}
	return err
}
