package store

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// memoryRecordSize is what a record takes besides its text.
const memoryRecordSize = 96

// memoryLog is a Log in memory.
type memoryLog struct {
	epoch  string
	limits Limits
	forget func() // called once, by Close, without locks

	mu   sync.Mutex
	idle sync.Cond // nobody calls a done

	// Guarded by mu.
	records fifo[Record]
	next    uint64 // the sequence number after the newest record
	sorted  bool   // the records' times never fall
	ids     memoryIDs
	copier  memoryCopier
	groups  memoryCopier // for names of groups
	cursors map[string][]byte
	stats   Stats
	closed  bool
	receipts
}

func newMemoryLog(limits Limits) *memoryLog {
	if limits.Bytes <= 0 {
		limits.Bytes = DefaultBytes
	}
	if limits.Dedupe == 0 {
		limits.Dedupe = DefaultDedupe
	}
	l := &memoryLog{
		epoch:  strconv.FormatUint(rand.Uint64(), 36),
		limits: limits, next: 1, sorted: true,
		ids:     memoryIDs{window: limits.Dedupe},
		cursors: make(map[string][]byte),
	}
	l.idle.L = &l.mu
	return l
}

func (l *memoryLog) Epoch() string { return l.epoch }

func (l *memoryLog) Append(r Record, done func(Receipt)) {
	l.mu.Lock()
	receipt := l.appendLocked(&r)
	if l.running {
		l.waiting = append(l.waiting, waitingReceipt{done, receipt})
		l.mu.Unlock()
		return
	}
	l.running = true
	l.mu.Unlock()
	if done != nil {
		done(receipt)
	}
	l.runReceipts()
}

func (l *memoryLog) appendLocked(r *Record) Receipt {
	if l.closed {
		l.stats.Refused++
		return Receipt{Err: closedError("log")}
	}
	size := recordSize(r)
	if err := l.checkSize(r, size); err != nil {
		return Receipt{Err: err}
	}
	dedupe := r.ID != "" && l.limits.Dedupe > 0
	var now time.Time
	if dedupe || r.Time == 0 || l.limits.Age > 0 {
		now = time.Now()
		l.expireLocked(now)
	}
	if dedupe {
		if seq := l.ids.find(r.ID, now); seq != 0 {
			l.stats.Duplicates++
			return Receipt{Seq: seq, Duplicate: true}
		}
	}
	if !l.makeRoomLocked(size) {
		l.stats.Refused++
		return Receipt{Err: wire.Errorf(wire.CodeStorageFull,
			"the log is full: %d messages of %d bytes are still needed", l.stats.Messages, l.stats.Bytes)}
	}
	l.keepLocked(r, size, dedupe, now)
	return Receipt{Seq: l.next - 1}
}

func (l *memoryLog) checkSize(r *Record, size int64) *wire.Error {
	switch {
	case len(r.ID) > MaxIDSize:
		return tooLarge("ID", int64(len(r.ID)), MaxIDSize)
	case len(r.Name) > 255:
		return tooLarge("name", int64(len(r.Name)), 255)
	case size > l.limits.Bytes:
		return tooLarge("message", size, l.limits.Bytes)
	}
	return nil
}

func tooLarge(what string, actual, limit int64) *wire.Error {
	err := wire.Errorf(wire.CodeMessageTooLarge, "the %s takes %d bytes, and at most %d are kept", what, actual, limit)
	err.Details.More = map[string]any{"limit": limit, "actual": actual}
	return err
}

// keepLocked adds the record, for which there is room.
func (l *memoryLog) keepLocked(r *Record, size int64, remember bool, now time.Time) {
	kept := l.records.push()
	kept.Seq = l.next
	if kept.Time = r.Time; kept.Time == 0 {
		kept.Time = now.UnixMilli()
	}
	if n := l.records.length; n == 1 {
		l.sorted = true
	} else if l.records.at(n-2).Time > kept.Time {
		l.sorted = false
	}
	if remember {
		kept.ID = l.ids.add(r.ID, l.next, now)
	} else if r.ID != "" {
		kept.ID = strings.Clone(r.ID)
	}
	kept.Name = l.copier.name(r.Name)
	kept.Group = l.groups.name(r.Group)
	kept.Data = l.copier.data(r.Data, l.stats.Bytes)
	if r.Dead != nil {
		dead := *r.Dead
		kept.Dead = &dead
	}
	l.next++
	l.stats.Messages++
	l.stats.Bytes += size
	l.stats.Appended++
}

func recordSize(r *Record) int64 {
	n := memoryRecordSize + len(r.ID) + len(r.Name) + len(r.Data) + len(r.Group)
	if d := r.Dead; d != nil {
		n += memoryRecordSize + len(d.Epoch) + len(d.Group) + len(d.Reason)
	}
	return int64(n)
}
