package disk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// history is what was appended to a log, and what became of it.
type history struct {
	mu       sync.Mutex
	tried    map[string]store.Record // by ID
	acked    map[uint64]store.Record // by number
	failed   map[string]bool         // IDs of what was refused with "no"
	discards uint64                  // what is before may be gone
	cursors  map[string]string       // set without an error
	n        int
}

func newHistory() *history {
	return &history{tried: map[string]store.Record{}, acked: map[uint64]store.Record{}, failed: map[string]bool{}, cursors: map[string]string{}}
}

func (h *history) copy() *history {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := newHistory()
	for k, v := range h.tried {
		c.tried[k] = v
	}
	for k, v := range h.acked {
		c.acked[k] = v
	}
	for k, v := range h.failed {
		c.failed[k] = v
	}
	for k, v := range h.cursors {
		c.cursors[k] = v
	}
	c.discards, c.n = h.discards, h.n
	return c
}

// noise is what records hold pieces of.
var noise = func() []byte {
	b := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

// same reports whether two records are the same.
func same(a, b store.Record) bool {
	return a.Seq == b.Seq && a.Time == b.Time && a.ID == b.ID && a.Name == b.Name && a.Group == b.Group &&
		bytes.Equal(a.Data, b.Data) && (a.Dead == nil) == (b.Dead == nil) && (a.Dead == nil || *a.Dead == *b.Dead)
}

// append appends n records at once and waits for them.
func (h *history) append(t testing.TB, l *Log, r *rand.Rand, n int) {
	t.Helper()
	var group sync.WaitGroup
	var last uint64
	for range n {
		h.mu.Lock()
		h.n++
		rec := store.Record{
			ID: fmt.Sprintf("id-%d-%d", h.n, r.Uint64()), Name: fmt.Sprintf("event.%d", r.IntN(3)), Time: 1 + r.Int64N(1e12),
		}
		if at := r.IntN(len(noise) - 1200); true {
			rec.Data = noise[at : at+r.IntN(1200)]
		}
		if len(rec.Data) == 0 {
			rec.Data = nil
		}
		if r.IntN(8) == 0 {
			rec.Group = "g"
			rec.Dead = &store.Dead{Seq: r.Uint64(), Epoch: "e", Group: "g", Deliveries: 5, Reason: "no"}
		}
		h.tried[rec.ID] = rec
		h.mu.Unlock()
		group.Add(1)
		l.Append(rec, func(got store.Receipt) {
			defer group.Done()
			h.mu.Lock()
			defer h.mu.Unlock()
			if got.Err == nil {
				if got.Seq <= last || got.Duplicate {
					t.Errorf("receipt %+v after %d", got, last)
				}
				last = got.Seq
				rec.Seq = got.Seq
				if old, found := h.acked[got.Seq]; found {
					t.Errorf("number %d was given to %s and to %s", got.Seq, old.ID, rec.ID)
				}
				h.acked[got.Seq] = rec
				return
			}
			if e := got.Err.(*wire.Error); e.Details.Executed == wire.ExecutedNo {
				h.failed[rec.ID] = true
			}
		})
	}
	group.Wait()
}

func (h *history) discard(l *Log, before uint64) {
	h.mu.Lock()
	h.discards = max(h.discards, before)
	h.mu.Unlock()
	l.Discard(before)
}

func (h *history) setCursor(l *Log, name, state string) {
	h.mu.Lock()
	delete(h.cursors, name)
	h.mu.Unlock()
	if l.SetCursor(name, []byte(state)) == nil {
		h.mu.Lock()
		h.cursors[name] = state
		h.mu.Unlock()
	}
}

// verify reads the log and returns what is wrong with it, if anything. What
// has been acknowledged has to be there, or to be said to be lost if that is
// allowed.
func (h *history) verify(l *Log, losses bool) error {
	var all []store.Record
	for from := uint64(0); ; {
		n := len(all)
		var err error
		if all, err = l.Read(all, from, 64, 32<<10); err != nil {
			return err
		}
		if n == len(all) {
			break
		}
		from = all[len(all)-1].Seq + 1
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	got := map[uint64]store.Record{}
	last := uint64(0)
	for _, rec := range all {
		want, found := h.tried[rec.ID]
		want.Seq = rec.Seq
		if !found || !same(want, rec) {
			return fmt.Errorf("%d was not appended like that: %s", rec.Seq, cmp.Diff(want, rec))
		}
		if h.failed[rec.ID] {
			return fmt.Errorf("%d is there though it was refused", rec.Seq)
		}
		if rec.Seq <= last {
			return fmt.Errorf("%d after %d", rec.Seq, last)
		}
		last = rec.Seq
		got[rec.Seq] = rec
	}
	lost := l.Losses()
	if len(lost) > 0 && !losses {
		return fmt.Errorf("losses: %+v", lost)
	}
	first, next := l.Bounds()
	for seq, rec := range h.acked {
		if seq >= next {
			return fmt.Errorf("%d was kept, but the next one is %d", seq, next)
		}
		if seq < h.discards || within(lost, seq) && losses {
			continue
		}
		if seq < first || got[seq].ID != rec.ID {
			return fmt.Errorf("%d (%s) was kept and is %q now; bounds %d, %d", seq, rec.ID, got[seq].ID, first, next)
		}
	}
	return nil
}

func within(list []store.Loss, seq uint64) bool {
	for _, l := range list {
		if l.From <= seq && seq <= l.To {
			return true
		}
	}
	return false
}

// step does something to a log.
func (h *history) step(t testing.TB, l *Log, r *rand.Rand) {
	switch first, next := l.Bounds(); r.IntN(8) {
	case 0:
		if next-first > 20 {
			h.discard(l, first+r.Uint64N(next-first-10))
		}
	case 1:
		h.setCursor(l, fmt.Sprint("c", r.IntN(5)), fmt.Sprint(r.Uint64()))
	case 2:
		l.Read(nil, first, 10, 10<<10)
	case 3:
		h.append(t, l, r, 200)
	default:
		h.append(t, l, r, 1+r.IntN(20))
	}
}
