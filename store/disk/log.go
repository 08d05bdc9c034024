package disk

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// Log is one log on disk. It implements store.Log.
//
// Whoever appends puts the record into a batch that waits. One goroutine, the
// worker, writes batches, as long as there are any; it alone writes segments
// and the state file. Locks are taken in this order: cursors.mu, mu, mark.mu.
type Log struct {
	fs     fileSystem
	dir    string
	limits store.Limits
	seed   uint32
	salt   salt

	segmentBytes int64
	maxWaiting   int64
	unsafe       bool // tests only: nothing is forced to the medium

	mark    mark
	cursors cursors
	sweeps  chore

	mu     sync.Mutex // guards all that follows
	idle   sync.Cond  // busy has changed
	state  state
	unsaid bool // the state file does not have it yet
	retry  bool // because that failed; a sweep or a batch tries again

	segments []*segment // sorted; the last one may be added to
	active   *segment   // that one; nil: a new one is to be begun
	open     []*segment // those that are open for reading only
	first    uint64     // no limit has removed what is from here on
	next     uint64     // what is before can be read
	young    []youth    // what follows next and is not safe yet
	messages int64      // from first on, young ones included
	bytes    int64
	front    front

	queue   []*batch // what waits for the worker
	waiting int64    // what it costs
	ids     idWindow
	stats   store.Stats
	working bool // there is a worker
	busy    bool // and it uses files, or tells results
	tidy    bool // the worker shall look what can be removed
	deep    bool // the active segment too
	closed  bool
	ending  chan struct{} // made by the first Close, closed when it is done
	failed  error         // of Close
}

// youth is a record that waits to be written.
type youth struct {
	time int64
	size int64
}

// batch is what is written and forced to the medium at once. Its buffer has
// room for the header of a segment before the records.
type batch struct {
	buf     []byte
	records int
	results []result
}

// result is what an Append is waiting for.
type result struct {
	done    func(store.Receipt)
	receipt store.Receipt
	size    int   // of the record; 0 if there is none to be written
	time    int64 // of the record
	id      bool  // it has one
}

// waitingCost is what whoever waits for a result takes besides the record.
const waitingCost = 256

// cost is what a result that is waited for takes of Options.MaxWaiting.
func (r *result) cost() int64 { return int64(r.size) + waitingCost }

func (b *batch) size() int { return len(b.buf) - segmentHeader }

// maxBatch is from which length on a batch takes no more.
const maxBatch = 1 << 20

// Epoch is as in store.Log.
func (l *Log) Epoch() string { return l.state.Epoch } // never changes while open

// Bounds is as in store.Log.
func (l *Log) Bounds() (first, next uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expireLocked(time.Now())
	return l.firstLocked(), l.next
}

// firstLocked is the number of the oldest record that can be read.
func (l *Log) firstLocked() uint64 {
	first := losses(l.state.Losses).end(l.first)
	return min(first, l.next)
}

// Append is as in store.Log. A refusal does not wait for the medium.
func (l *Log) Append(r store.Record, done func(store.Receipt)) {
	if err := l.take(&r, done); err != nil && done != nil {
		done(store.Receipt{Err: err})
	}
}

// take gives the worker a record, or says why that is refused.
func (l *Log) take(r *store.Record, done func(store.Receipt)) *wire.Error {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.takeLocked(r, now, done)
	if err != nil {
		l.stats.Refused++
	}
	return err
}

func (l *Log) takeLocked(r *store.Record, now time.Time, done func(store.Receipt)) *wire.Error {
	if l.closed {
		return closedError()
	}
	dead, err := checkRecord(r, l.limits.Bytes)
	if err != nil {
		return err
	}
	var hash idHash
	if r.ID != "" && l.ids.window > 0 {
		hash = hashIDString(r.ID)
		if seq, found := l.ids.find(hash, now.UnixMilli()); found {
			if !l.mayWaitLocked(waitingCost) {
				return l.overloadedLocked()
			}
			// It waits with the others: the first one may not be safe yet.
			l.resultLocked(l.batchLocked(), result{done: done, receipt: store.Receipt{Seq: seq, Duplicate: true}})
			return nil
		}
	}
	size := encodedSize(r, len(dead))
	if !l.mayWaitLocked(int64(size) + waitingCost) {
		return l.overloadedLocked()
	}
	if err := l.makeRoomLocked(int64(size), now); err != nil {
		return err
	}
	if r.Time == 0 {
		r.Time = now.UnixMilli()
	}
	r.Seq = l.next + uint64(len(l.young))
	l.keepLocked(r, dead, size, now.UnixMilli(), done)
	if r.ID != "" && l.ids.window > 0 {
		l.ids.add(hash, r.Seq, now.UnixMilli())
	}
	return nil
}

// mayWaitLocked reports whether one more may wait that costs as much.
func (l *Log) mayWaitLocked(cost int64) bool {
	return l.waiting == 0 || l.waiting+cost <= l.maxWaiting
}

// keepLocked gives the worker a record that has a number.
func (l *Log) keepLocked(r *store.Record, dead []byte, size int, now int64, done func(store.Receipt)) {
	b := l.batchLocked()
	var flags byte
	if b.records == 0 {
		flags = flagBatch
	}
	b.buf = appendRecord(b.buf, r, dead, now, flags, l.seed)
	b.records++
	l.young = append(l.young, youth{time: r.Time, size: int64(size)})
	l.messages++
	l.bytes += int64(size)
	l.resultLocked(b, result{done: done, receipt: store.Receipt{Seq: r.Seq}, size: size, time: r.Time, id: r.ID != ""})
}

// batchLocked returns the batch that takes the next result.
func (l *Log) batchLocked() *batch {
	if n := len(l.queue); n > 0 && l.queue[n-1].size() < maxBatch {
		return l.queue[n-1]
	}
	b := spareBatches.Get().(*batch)
	l.queue = append(l.queue, b)
	return b
}

// resultLocked puts a result behind those that wait.
func (l *Log) resultLocked(b *batch, r result) {
	b.results = append(b.results, r)
	l.waiting += r.cost()
	l.wakeLocked()
}

// wakeLocked has the worker run.
func (l *Log) wakeLocked() {
	if !l.working {
		l.working = true
		go l.work()
	}
}

// checkRecord makes sure that the format can hold r, and returns the text of
// its origin.
func checkRecord(r *store.Record, limit int64) (dead []byte, err *wire.Error) {
	if r.Dead != nil {
		dead, _ = json.Marshal(r.Dead) // numbers and text: it cannot fail
	}
	limit = min(limit, MaxRecord)
	size := encodedSize(r, len(dead))
	switch {
	case len(r.ID) > store.MaxIDSize, len(r.Name) > math.MaxUint8, len(r.Group) > math.MaxUint16, len(dead) > math.MaxUint16:
		err = wire.Errorf(wire.CodeMessageTooLarge, "a record's ID of %d, name of %d, group of %d or origin of %d bytes is too long",
			len(r.ID), len(r.Name), len(r.Group), len(dead))
	case int64(size) > limit:
		err = wire.Errorf(wire.CodeMessageTooLarge, "a record of %d bytes is over the limit of %d", size, limit)
		err.Details.More = map[string]any{"actual": size, "limit": limit}
	}
	return dead, err
}

// Losses is as in store.Log.
func (l *Log) Losses() []store.Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.state.Losses)
}

// Stats is as in store.Log.
func (l *Log) Stats() store.Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expireLocked(time.Now())
	s := l.stats
	s.Messages, s.Bytes = l.messages, l.bytes
	return s
}

// Cursor is as in store.Log.
func (l *Log) Cursor(name string) []byte { return l.cursors.get(name) }

// SetCursor is as in store.Log.
func (l *Log) SetCursor(name string, state []byte) error { return l.cursors.set(name, state) }

// Cursors is as in store.Log.
func (l *Log) Cursors() []string { return l.cursors.names() }

// Sync is as in store.Log.
func (l *Log) Sync() error { return l.cursors.sync() }

func (l *Log) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Close is as in store.Log.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.ending != nil {
		l.mu.Unlock()
		<-l.ending
		return l.failed
	}
	l.ending = make(chan struct{})
	l.closed = true
	for l.busy || len(l.queue) > 0 {
		l.idle.Wait()
	}
	l.mu.Unlock()
	l.sweeps.end()
	l.failed = l.end()
	close(l.ending)
	return l.failed
}

func (l *Log) path(name string) string { return filepath.Join(l.dir, name) }
