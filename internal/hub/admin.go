package hub

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"

	"github.com/ekkojs/ipc/internal/group"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// StreamInfo is what an operator sees of a stream that keeps its events.
type StreamInfo struct {
	Name        string
	Queue       bool
	Persistent  bool
	Epoch       string
	First, Next uint64 // of what is kept
	store.Stats
	Losses []store.Loss
	Dead   int64 // dead letters that wait for somebody to decide
	Groups []GroupInfo
	Crowd  int // publishers that wait for room
}

// GroupInfo is what an operator sees of a group.
type GroupInfo struct {
	Name      string
	Exclusive bool
	group.Stats
}

// Streams describes the streams that keep their events, by name.
func (h *Hub) Streams() []StreamInfo {
	list := []StreamInfo{}
	for _, s := range h.topics.streams {
		if s.Log != nil {
			list = append(list, s.info())
		}
	}
	return list
}

func (s *stream) info() StreamInfo {
	s.settle()
	info := StreamInfo{Name: s.Name, Queue: s.Queue, Persistent: !s.Volatile, Epoch: s.epoch, Stats: s.Log.Stats(), Losses: s.Log.Losses(), Crowd: s.crowd.length()}
	info.First, info.Next = s.Log.Bounds()
	if s.Dead != nil {
		first, next := s.Dead.Bounds()
		info.Dead = int64(next-first) - int64(len(redriven(s.Dead)))
	}
	for _, team := range s.teams.all() {
		info.Groups = append(info.Groups, GroupInfo{Name: team.group.Name(), Exclusive: team.group.Exclusive(), Stats: team.group.Stats()})
	}
	return info
}

// keeping returns the stream of that name, or why an operator cannot have it.
func (h *Hub) keeping(name string) (*stream, error) {
	t := h.topics.find(eventName(name))
	if t == nil || t.stream.Log == nil {
		return nil, wire.Errorf(wire.CodeNotFound, "no channel %q keeps its events", name)
	}
	return t.stream, nil
}

// Peek returns records of a stream, or with dead of its dead letters, from a
// sequence number on; they stay where they are.
func (h *Hub) Peek(name string, dead bool, from uint64, max int) ([]store.Record, error) {
	s, err := h.keeping(name)
	if err != nil {
		return nil, err
	}
	s.settle()
	switch {
	case !dead:
		return s.Log.Read(nil, from, max, peekBytes)
	case s.Dead == nil:
		return nil, nil
	}
	gone := redriven(s.Dead)
	var letters []store.Record
	for size := 0; len(letters) < max && size < peekBytes; {
		recs, err := s.Dead.Read(nil, from, max, peekBytes-size)
		if err != nil || len(recs) == 0 {
			return letters, err
		}
		for _, rec := range recs {
			if from = rec.Seq + 1; !gone[rec.Seq] && len(letters) < max {
				letters = append(letters, rec)
				size += len(rec.Data)
			}
		}
	}
	return letters, nil
}

// peekBytes is about how much data one Peek returns.
const peekBytes = 256 << 10

// Purge removes all records of a stream, or its dead letters, and returns how
// many those were. Groups that had not handled them are told of the gap.
func (h *Hub) Purge(name string, dead bool) (removed uint64, err error) {
	s, err := h.keeping(name)
	if err != nil {
		return 0, err
	}
	s.settle()
	log := s.Log
	if dead {
		if log = s.Dead; log == nil {
			return 0, nil
		}
	}
	first, next := log.Bounds()
	log.Discard(next)
	if !dead {
		s.crowd.retry()
	}
	return next - first, nil
}

// Forget removes a group, which must not have members.
func (h *Hub) Forget(name, groupName string) error {
	s, err := h.keeping(name)
	if err != nil {
		return err
	}
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	team := s.teams.find(groupName)
	if team == nil {
		return wire.Errorf(wire.CodeNotFound, "%s has no group %q", s.Name, groupName)
	}
	if n := team.group.Stats().Members; n > 0 {
		return wire.Errorf(wire.CodeConflict, "the group %q of %s has %d members; it can be removed when they have left", groupName, s.Name, n)
	}
	s.teams.setLocked(slices.DeleteFunc(slices.Clone(s.teams.all()), func(t *Team) bool { return t == team }))
	team.close()
	team.throwOut()
	err = group.Remove(s.Log, groupName)
	s.discard(true)
	return err
}

// Redrive gives dead letters back to the groups that they come from: those
// with the sequence numbers, or all if there are none. It returns how many it
// was.
func (h *Hub) Redrive(ctx context.Context, name string, seqs []uint64) (n int, err error) {
	s, err := h.keeping(name)
	if err != nil || s.Dead == nil {
		return 0, err
	}
	s.redriving.Lock()
	defer s.redriving.Unlock()
	first, next := s.Dead.Bounds()
	gone := redriven(s.Dead)
	for at := first; at < next; {
		letters, err := s.Dead.Read(nil, at, 256, peekBytes)
		if err != nil || len(letters) == 0 {
			return n, err
		}
		for i := range letters {
			letter := &letters[i]
			if at = letter.Seq + 1; gone[letter.Seq] || len(seqs) > 0 && !slices.Contains(seqs, letter.Seq) {
				continue
			}
			if err := h.redrive(ctx, s, letter); err != nil {
				return n, err
			}
			gone[letter.Seq] = true
			n++
			if err := markRedriven(s.Dead, gone); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// redrive publishes a letter again, for its group alone. Its ID is the same
// each time, so that trying again after a crash does not make two of it.
func (h *Hub) redrive(ctx context.Context, s *stream, letter *store.Record) error {
	p := Publication{Name: letter.Name, Data: letter.Data, ID: "redriven/" + s.Dead.Epoch() + "/" + strconv.FormatUint(letter.Seq, 10)}
	if letter.Dead != nil {
		p.Group = letter.Dead.Group
	}
	done := make(chan error, 1)
	h.publishKept(ctx, s.topicOf(letter.Name), p, func(_ Receipt, err error) { done <- err })
	return <-done
}

// redrivenCursor is where a log of dead letters keeps which of them have been
// given back and could not be removed, since others stand before them.
const redrivenCursor = "redriven"

func redriven(dead store.Log) map[uint64]bool {
	gone := map[uint64]bool{}
	first, _ := dead.Bounds()
	for kept := dead.Cursor(redrivenCursor); len(kept) > 0; {
		seq, n := binary.Uvarint(kept)
		if n <= 0 {
			break
		}
		if kept = kept[n:]; seq >= first {
			gone[seq] = true
		}
	}
	return gone
}

// markRedriven keeps gone, and removes the letters at the beginning that are.
func markRedriven(dead store.Log, gone map[uint64]bool) error {
	first, _ := dead.Bounds()
	for gone[first] {
		delete(gone, first)
		first++
	}
	dead.Discard(first)
	var text []byte
	for _, seq := range slices.Sorted(maps.Keys(gone)) {
		text = binary.AppendUvarint(text, seq)
	}
	return dead.SetCursor(redrivenCursor, text)
}
