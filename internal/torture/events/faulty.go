//go:build linux

package events

import (
	"strings"
	"sync"
	"time"

	"github.com/ekkojs/ipc/store"
)

// faultyStore is a store with a planted fault.
type faultyStore struct {
	store.Store
	plant Plant
}

func (s *faultyStore) Log(name string, limits store.Limits) (store.Log, error) {
	l, err := s.Store.Log(name, limits)
	if err != nil {
		return nil, err
	}
	f := &faultyLog{Log: l, plant: s.plant, dead: strings.HasSuffix(name, "!dead")}
	_, f.next = l.Bounds()
	return f, nil
}

// faultyLog is one of its logs.
type faultyLog struct {
	store.Log
	plant Plant
	dead  bool // of dead letters

	mu   sync.Mutex // held while an event gets its number
	next uint64
}

// Epoch is always the same where numbers are given again.
func (l *faultyLog) Epoch() string {
	if l.plant == ReusedSequence {
		return "epoch"
	}
	return l.Log.Epoch()
}

func (l *faultyLog) Append(r store.Record, done func(store.Receipt)) {
	switch {
	case l.plant == NoDedupe && !l.dead:
		r.ID = ""
	case l.plant == ForgottenLetter && l.dead:
		go done(store.Receipt{Seq: 1})
		return
	case l.plant == AckBeforeCommit && !l.dead:
		r.Data = append([]byte(nil), r.Data...)
		l.mu.Lock()
		defer l.mu.Unlock()
		seq := l.next
		l.next++
		time.AfterFunc(30*time.Millisecond, func() { l.Log.Append(r, nil) })
		done(store.Receipt{Seq: seq})
		return
	}
	l.Log.Append(r, done)
}

func (l *faultyLog) Read(dst []store.Record, from uint64, max, maxBytes int) ([]store.Record, error) {
	was := len(dst)
	dst, err := l.Log.Read(dst, from, max, maxBytes)
	if l.plant == AlteredRecord {
		for i := range dst[was:] {
			if r := &dst[was+i]; r.Seq%8 == 0 && len(r.Data) > 3 {
				r.Data = append([]byte(nil), r.Data...)
				if at := len(r.Data) - 3; r.Data[at] >= 'a' {
					r.Data[at] = 'A'
				}
			}
		}
	}
	return dst, err
}
