package store

import (
	"strings"
	"time"
)

// memoryIDs remembers which record came with which ID, for a while.
type memoryIDs struct {
	window time.Duration
	seqs   map[string]uint64
	queue  fifo[memoryID] // oldest first
}

type memoryID struct {
	id string
	at time.Time
}

// find returns the record that has come with that ID lately, 0 if none.
func (m *memoryIDs) find(id string, now time.Time) uint64 {
	for m.queue.length > 0 && now.Sub(m.queue.at(0).at) >= m.window {
		m.drop()
	}
	return m.seqs[id]
}

// add remembers an ID that find does not, and returns its copy.
func (m *memoryIDs) add(id string, seq uint64, now time.Time) string {
	if m.seqs == nil {
		m.seqs = make(map[string]uint64)
	}
	if m.queue.length == MaxIDs {
		m.drop()
	}
	id = strings.Clone(id)
	m.seqs[id] = seq
	*m.queue.push() = memoryID{id: id, at: now}
	return id
}

func (m *memoryIDs) drop() {
	delete(m.seqs, m.queue.at(0).id)
	m.queue.pop()
}
