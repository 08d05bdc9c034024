package disk

import (
	"hash/maphash"

	"github.com/ekkojs/ipc/store"
)

// idWindow remembers IDs for a while. It keeps 128 bits of each, made with
// keys of this process alone: nobody can find two IDs that are one.
// Guarded by Log.mu.
type idWindow struct {
	window int64 // milliseconds; 0: nothing is remembered
	known  map[idHash]uint64
	ring   []idEntry // oldest first, from head on
	head   int
}

type idHash [2]uint64

type idEntry struct {
	hash idHash
	seq  uint64
	kept int64
}

var idSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashID(id []byte) idHash {
	return idHash{maphash.Bytes(idSeeds[0], id), maphash.Bytes(idSeeds[1], id)}
}

func hashIDString(id string) idHash {
	return idHash{maphash.String(idSeeds[0], id), maphash.String(idSeeds[1], id)}
}

// find returns the number of the record with that ID.
func (w *idWindow) find(h idHash, now int64) (uint64, bool) {
	w.forget(now)
	seq, found := w.known[h]
	return seq, found
}

// add remembers the ID of the newest record.
func (w *idWindow) add(h idHash, seq uint64, kept int64) {
	if w.window == 0 {
		return
	}
	if w.known == nil {
		w.known = map[idHash]uint64{}
	}
	w.known[h] = seq
	w.ring = append(w.ring, idEntry{h, seq, kept})
	if len(w.ring)-w.head > store.MaxIDs {
		w.pop()
	}
}

// forget removes what is older than the window.
func (w *idWindow) forget(now int64) {
	for w.head < len(w.ring) && now-w.ring[w.head].kept >= w.window {
		w.pop()
	}
}

func (w *idWindow) pop() {
	e := w.ring[w.head]
	w.head++
	if w.known[e.hash] == e.seq {
		delete(w.known, e.hash)
	}
	switch {
	case w.head == len(w.ring):
		w.ring, w.head = w.ring[:0], 0
		if cap(w.ring) > 1<<12 {
			w.ring, w.known = nil, nil // a map never shrinks
		}
	case w.head > 1<<10 && w.head > len(w.ring)/2:
		n := copy(w.ring, w.ring[w.head:])
		w.ring, w.head = w.ring[:n], 0
	}
}

// undo forgets the records from that number on: they were not kept.
func (w *idWindow) undo(from uint64) {
	for n := len(w.ring); n > w.head && w.ring[n-1].seq >= from; n-- {
		if e := w.ring[n-1]; w.known[e.hash] == e.seq {
			delete(w.known, e.hash)
		}
		w.ring = w.ring[:n-1]
	}
}
