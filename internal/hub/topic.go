package hub

import (
	"strconv"
	"strings"
	"sync"

	"github.com/ekkojs/ipc/wire"
)

// topic is what the hub knows of one channel.
type topic struct {
	name    string
	channel []byte // as it stands in a frame: "events." and the name
	epoch   []byte

	mu        sync.Mutex
	seq       uint64   // of the last event; the first one is 1
	used      bool     // since the clock hand of topics last passed
	forgotten bool     // no longer in topics: whoever holds it must look again
	matchedAt uint64   // generation of the index that targets were found in
	targets   []target // who wants the channel
}

// matchLocked brings targets up to date, which costs one atomic load while
// nobody subscribes or leaves.
func (t *topic) matchLocked(x *index) {
	if t.matchedAt != x.generation.Load() {
		t.targets, t.matchedAt = x.match(t.name, t.targets)
	}
}

// next is where somebody who subscribes now starts.
func (t *topic) nextLocked() Cursor { return Cursor{Epoch: string(t.epoch), Seq: t.seq + 1} }

// topics is the bounded table of channels. When it is full a new channel
// takes the place of one that was not used since the clock hand's last round
// (second chance: nearly LRU, without a write on the way of each publish).
type topics struct {
	epoch string
	limit int

	// patternMu is held by whoever holds the lock of more than one topic, so
	// that no two do.
	patternMu sync.Mutex

	mu        sync.RWMutex
	byName    map[string]*topic
	ring      []*topic
	hand      int
	forgotten uint64 // channels forgotten so far
	published uint64 // events counted by them
}

func (ts *topics) init(epoch string, limit int) {
	ts.epoch, ts.limit, ts.byName = epoch, limit, make(map[string]*topic)
}

// get returns the topic of that name, which it makes if it has to.
func (ts *topics) get(name string) (*topic, error) {
	ts.mu.RLock()
	t := ts.byName[name]
	ts.mu.RUnlock()
	if t != nil {
		return t, nil
	}
	if err := wire.CheckName(name); err != nil {
		return nil, err
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.getLocked(name), nil
}

func (ts *topics) getLocked(name string) *topic {
	if t := ts.byName[name]; t != nil {
		return t
	}
	slot := ts.slotLocked()
	// The name may be part of something big that the caller read it from.
	name = strings.Clone(name)
	t := &topic{
		name:    name,
		channel: []byte(wire.EventChannel(name)),
		epoch:   []byte(ts.epochLocked()),
	}
	ts.ring[slot] = t
	ts.byName[name] = t
	return t
}

// epochLocked is the epoch of a channel made now. It changes with each
// channel forgotten, since the new one may be that one come back.
func (ts *topics) epochLocked() string {
	if ts.forgotten == 0 {
		return ts.epoch
	}
	return ts.epoch + "-" + strconv.FormatUint(ts.forgotten, 36)
}

// slotLocked returns a place in the ring for one more topic.
func (ts *topics) slotLocked() int {
	if len(ts.ring) < ts.limit {
		ts.ring = append(ts.ring, nil)
		return len(ts.ring) - 1
	}
	for {
		slot := ts.hand
		ts.hand = (ts.hand + 1) % len(ts.ring)
		if ts.forgetLocked(ts.ring[slot]) {
			return slot
		}
	}
}

// forgetLocked removes t unless it was used lately. Two rounds of the clock
// hand are enough to find one, unless publishers are as quick as the hand.
func (ts *topics) forgetLocked(t *topic) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.used {
		t.used = false
		return false
	}
	t.forgotten, t.targets = true, nil
	delete(ts.byName, t.name)
	ts.forgotten++
	ts.published += t.seq
	return true
}

// subscribeLiteral runs add at a point between two events of the channel, and
// returns the cursor of the second.
func (ts *topics) subscribeLiteral(name string, add func() error) (Cursor, error) {
	// The table stays as it is until add is done: a channel that is not
	// there cannot be published on. It is not made either, or else a peer
	// could push out living channels by subscribing to invented ones.
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	t := ts.byName[name]
	if t == nil {
		return Cursor{Epoch: ts.epochLocked(), Seq: 1}, add()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.nextLocked(), add()
}

// subscribePattern is subscribeLiteral for all channels that match at once.
func (ts *topics) subscribePattern(p wire.Pattern, add func() error) (Start, error) {
	ts.patternMu.Lock()
	defer ts.patternMu.Unlock()
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	start := Start{Cursor: Cursor{Epoch: ts.epochLocked(), Seq: 1}}
	var held []*topic
	defer func() {
		for _, t := range held {
			t.mu.Unlock()
		}
	}()
	for name, t := range ts.byName {
		if !p.Match(name) {
			continue
		}
		t.mu.Lock()
		held = append(held, t)
		if start.Channels == nil {
			start.Channels = make(map[string]Cursor)
		}
		start.Channels[name] = t.nextLocked()
	}
	return start, add()
}

// count returns the number of channels, of events counted and of channels
// forgotten.
func (ts *topics) count() (channels int, published, forgotten uint64) {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	published = ts.published
	for _, t := range ts.ring {
		t.mu.Lock()
		published += t.seq
		t.mu.Unlock()
	}
	return len(ts.ring), published, ts.forgotten
}
