package hub

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// topic is what the hub knows of the events of one name.
type topic struct {
	name    string
	channel []byte // as it stands in a frame: "events." and the name
	stream  *stream

	// Guarded by stream.mu.
	used      bool     // since the clock hand of topics last passed
	matchedAt uint64   // generation of the index that targets were found in
	targets   []target // who wants the events
}

// matchLocked brings targets up to date, which costs one atomic load while
// nobody subscribes or leaves.
func (t *topic) matchLocked(x *index) {
	if t.matchedAt != x.generation.Load() && !t.stream.Queue {
		t.targets, t.matchedAt = x.match(t.name, t.stream.Name, !t.stream.Hidden, t.targets)
	}
}

// topics is the bounded table of names. When it is full a new one takes the
// place of one that was not used since the clock hand's last round (second
// chance: nearly LRU, without a write on the way of each publish). Those of
// declared streams stay.
type topics struct {
	epoch   string
	limit   int
	streams []*stream // declared ones, by name

	// patternMu is held by whoever holds the lock of more than one stream, so
	// that no two do.
	patternMu sync.Mutex

	mu        sync.RWMutex
	byName    map[string]*topic
	ring      []*topic // those that may be forgotten
	hand      int
	forgotten uint64 // names forgotten so far
	published uint64 // events counted by them
}

func (ts *topics) init(epoch string, limit int, declared []StreamOptions) {
	ts.epoch, ts.limit, ts.byName = epoch, limit, make(map[string]*topic)
	for _, o := range declared {
		ts.declare(o)
	}
	slices.SortFunc(ts.streams, func(a, b *stream) int { return strings.Compare(a.Name, b.Name) })
}

func (ts *topics) declare(o StreamOptions) {
	epoch := ts.epoch
	if o.Log != nil {
		epoch = o.Log.Epoch()
	}
	s := newStream(o, epoch)
	s.carried = map[string]*topic{}
	if o.Log != nil {
		_, next := o.Log.Bounds()
		s.seq = next - 1
	} else if o.Last {
		s.last = map[string]store.Record{}
	}
	for _, name := range slices.Concat([]string{o.Name}, o.Events) {
		if ts.byName[name] == nil {
			t := newTopic(name, s)
			ts.byName[name], s.carried[name] = t, t
			s.names = append(s.names, name)
		}
	}
	slices.Sort(s.names)
	ts.streams = append(ts.streams, s)
}

func newTopic(name string, s *stream) *topic {
	return &topic{name: name, channel: []byte(wire.EventChannel(name)), stream: s}
}

// streamName is what a frame says of the stream: nothing if its name is the
// event's own.
func (t *topic) streamName() []byte {
	if t.stream.Name == t.name {
		return nil
	}
	return t.stream.nameInFrames
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

// find returns the topic of that name, nil if there is none.
func (ts *topics) find(name string) *topic {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.byName[name]
}

func (ts *topics) getLocked(name string) *topic {
	if t := ts.byName[name]; t != nil {
		return t
	}
	slot := ts.slotLocked()
	// The name may be part of something big that the caller read it from.
	name = strings.Clone(name)
	t := newTopic(name, newStream(StreamOptions{Name: name}, ts.epochLocked()))
	ts.ring[slot] = t
	ts.byName[name] = t
	return t
}

// epochLocked is the epoch of a stream made now. It changes with each one
// forgotten, since the new one may be that one come back.
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
	s := t.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.used {
		t.used = false
		return false
	}
	s.forgotten, t.targets = true, nil
	delete(ts.byName, t.name)
	ts.forgotten++
	ts.published += s.published
	return true
}

// subscribe runs add at a point between two events of all the streams that p
// matches, which it is given, each once, by name. fresh is where delivery
// starts in a stream that there is not yet.
func (ts *topics) subscribe(p wire.Pattern, add func(matched []*stream, fresh Cursor) error) error {
	// The table stays as it is until add is done: what is not there cannot
	// be published on. It is not made either, or else a peer could push out
	// living names by subscribing to invented ones.
	if p.IsLiteral() {
		ts.mu.RLock()
		defer ts.mu.RUnlock()
		fresh := Cursor{Epoch: ts.epochLocked(), Seq: 1}
		t := ts.byName[p.String()]
		if t == nil {
			return add(nil, fresh)
		}
		t.stream.mu.Lock()
		defer t.stream.mu.Unlock()
		return add([]*stream{t.stream}, fresh)
	}
	ts.patternMu.Lock()
	defer ts.patternMu.Unlock()
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	matched := ts.matchedLocked(p)
	for _, s := range matched {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	return add(matched, Cursor{Epoch: ts.epochLocked(), Seq: 1})
}

// matching returns the streams of the names that p matches now.
func (ts *topics) matching(p wire.Pattern) []*stream {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	if !p.IsLiteral() {
		return ts.matchedLocked(p)
	}
	if t := ts.byName[p.String()]; t != nil {
		return []*stream{t.stream}
	}
	return nil
}

// matchedLocked returns the streams of the names that p matches, but for
// those that are heard by those only who name them.
func (ts *topics) matchedLocked(p wire.Pattern) []*stream {
	met := map[*stream]bool{}
	var matched []*stream
	for name, t := range ts.byName {
		if s := t.stream; !met[s] && !s.Queue && !s.Hidden && p.Match(name) {
			met[s] = true
			matched = append(matched, s)
		}
	}
	return matched
}

// count returns the number of streams, of events counted and of names
// forgotten.
func (ts *topics) count() (streams int, published, forgotten uint64) {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	published = ts.published
	for _, s := range ts.streams {
		published += s.publishedNow()
	}
	for _, t := range ts.ring {
		published += t.stream.publishedNow()
	}
	return len(ts.ring) + len(ts.streams), published, ts.forgotten
}
