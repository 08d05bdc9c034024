package hub

import (
	"sync"
	"sync/atomic"

	"github.com/ekkojs/ipc/store"
)

// StreamOptions declares a stream: a channel that is more than the events of
// its own name.
type StreamOptions struct {
	// Name of the stream. A subscription to it hears all its events.
	Name string

	// Events are the names of the other events that it carries. The first
	// stream that names an event has it.
	Events []string

	// Policy is what becomes of subscribers that do not keep up, unless they
	// asked for a stricter one. Default PolicyDropOldest.
	Policy Policy

	// MaxSubscribers is how many subscriptions may name it or an event of it.
	// Those with wildcards ask for what there is, so that they are neither
	// counted nor refused. Default no limit but the hub's.
	MaxSubscribers int

	// Log keeps the stream's events and numbers them. It is closed after the
	// hub, by whoever has opened it.
	// Default nil: events are gone when their subscribers have them.
	Log store.Log

	// Dead is where the dead letters of its groups go. Default nil: groups
	// are not to be had.
	Dead store.Log

	// Needs tells the log what its groups still need, where it must not make
	// room by removing that. It is the Hold of Log's limits. Default nil.
	Needs *Needs

	// Volatile says that Log ends with the process.
	Volatile bool

	// Block makes publishers wait for room in the log. Default: they are told
	// STORAGE_FULL.
	Block bool

	// Last keeps the newest event of each name for those who subscribe
	// later, even where there is no Log.
	Last bool

	// Queue makes it a stream of which each message goes to one member of
	// each group, and none to those who do not name it. It needs a Log.
	Queue bool

	// Hidden makes it a stream that only those hear who name it.
	Hidden bool

	// Broadcast makes it a stream that nobody hears a part of: neither
	// groups nor filters.
	Broadcast bool
}

// stream is what is numbered: a channel with all the events it carries, or
// one event that no channel carries.
type stream struct {
	StreamOptions
	epoch        string
	inFrames     []byte // the epoch likewise
	nameInFrames []byte
	names        []string          // all that it carries, sorted, if declared
	carried      map[string]*topic // likewise, by name; not changed once the hub is made

	heard atomic.Int32 // subscriptions that name it, where MaxSubscribers is set
	teams teams
	crowd *crowd // of publishers; nil unless Block is set

	burials burials // into Dead

	redriving sync.Mutex // held while dead letters are given back

	mu        sync.Mutex
	press     press
	seq       uint64 // of the last event that subscribers were offered; the first one is 1
	published uint64 // events since the hub began
	forgotten bool
	last      map[string]store.Record // newest of each name; nil unless Last is set
}

func newStream(o StreamOptions, epoch string) *stream {
	return &stream{StreamOptions: o, epoch: epoch, inFrames: []byte(epoch), nameInFrames: []byte(o.Name)}
}

// nextLocked is where somebody who subscribes now starts.
func (s *stream) nextLocked() Cursor { return Cursor{Epoch: s.epoch, Seq: s.seq + 1} }

// loose reports whether the sequence numbers that a subscriber sees may have
// holes that are no loss.
func (s *stream) loose() bool { return len(s.names) > 1 }

func (s *stream) publishedNow() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.published
}

// seqNow is the number of the last event that subscribers were offered.
func (s *stream) seqNow() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq
}
