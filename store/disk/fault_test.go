package disk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// broken has one kind of operation fail from the k-th on, or that one only.
type broken struct {
	op      string
	err     syscall.Errno
	k       int64
	forever bool
	count   atomic.Int64
	healed  atomic.Bool
}

func (b *broken) before(_ int, op, _ string) error {
	if op != b.op {
		return nil
	}
	n := b.count.Add(1)
	if !b.healed.Load() && (n == b.k || b.forever && n > b.k) {
		return b.err
	}
	return nil
}

func (b *broken) String() string {
	if b.forever {
		return fmt.Sprintf("%s fails with %v from the %d. on", b.op, b.err, b.k)
	}
	return fmt.Sprintf("the %d. %s fails with %v", b.k, b.op, b.err)
}

// run works on a log while operations fail, has them work again, and returns
// what is wrong then.
func (b *broken) run(t *testing.T) error {
	r := rand.New(rand.NewPCG(uint64(b.k), 4))
	fs, h := newSim(uint64(b.k)), newHistory()
	fs.before = b.before
	s := open(t, "/logs", simOptions(fs))
	defer s.Close()
	opened, err := s.Log("orders", store.Limits{})
	if err != nil {
		if code := wire.CodeOf(err); code != wire.CodeStorageUnavailable && code != wire.CodeStorageFull {
			return err
		}
		b.healed.Store(true)
		if opened, err = s.Log("orders", store.Limits{}); err != nil {
			return err
		}
	}
	l := opened.(*Log)
	epoch := l.Epoch()
	for range 10 {
		h.step(t, l, r)
	}
	s.Close() // it may fail, and so may what follows
	reopened := open(t, "/logs", simOptions(fs))
	defer func() { reopened.Close() }()
	if opened, err = reopened.Log("orders", store.Limits{}); err != nil {
		b.healed.Store(true)
		if opened, err = reopened.Log("orders", store.Limits{}); err != nil {
			return err
		}
	}
	l = opened.(*Log)
	if l.Epoch() != epoch && b.op != "write" && b.op != "read" {
		return errors.New("a new epoch when opened again")
	}
	epoch = l.Epoch() // half a mark may have been written, which is as a damaged one
	for range 4 {
		h.step(t, l, r)
	}
	losses := b.op == "read" // what the medium cannot read is lost
	b.healed.Store(true)
	if err := h.verify(l, losses); err != nil {
		return fmt.Errorf("when it works again: %w", err)
	}
	if err := h.again(l); err != nil {
		return err
	}
	before := len(h.acked)
	h.append(t, l, r, 10)
	if len(h.acked) != before+10 {
		return fmt.Errorf("does not recover: %d of 10 are kept", len(h.acked)-before)
	}
	fs.mu.Lock()
	images := []*sim{fs.killedLocked(), fs.cutLocked()}
	fs.mu.Unlock()
	if err := reopened.Close(); err != nil {
		return err
	}
	for n, image := range append(images, fs) {
		s := open(t, "/logs", simOptions(image))
		l := openOne(t, s, "orders", store.Limits{})
		if err := h.verify(l, losses); err != nil {
			return fmt.Errorf("image %d: %w", n, err)
		}
		if l.Epoch() != epoch && !losses {
			return fmt.Errorf("image %d: a new epoch", n)
		}
		s.Close()
	}
	return nil
}

// again appends once more what is not known to be kept.
func (h *history) again(l *Log) error {
	known := map[string]bool{}
	for _, rec := range h.acked {
		known[rec.ID] = true
	}
	for id, rec := range h.tried {
		if known[id] {
			continue
		}
		r := add(l, rec)
		if r.Err != nil || r.Duplicate || h.acked[r.Seq].ID != "" {
			return fmt.Errorf("%s appended again: %+v", id, r)
		}
		delete(h.failed, id)
		rec.Seq = r.Seq
		h.acked[r.Seq] = rec
	}
	return nil
}

// TestEveryOperationMayFail is K6.
func TestEveryOperationMayFail(t *testing.T) {
	t.Parallel()
	for op, errs := range map[string][]syscall.Errno{
		"write": {syscall.EIO, syscall.ENOSPC}, "sync": {syscall.EIO}, "syncDir": {syscall.EIO}, "rename": {syscall.EIO},
		"remove": {syscall.EIO}, "truncate": {syscall.EIO}, "open": {syscall.EIO, syscall.EMFILE}, "read": {syscall.EIO, syscall.ENOMEM}, "list": {syscall.EIO},
	} {
		for _, err := range errs {
			t.Run(fmt.Sprintf("%s/%d", op, err), func(t *testing.T) {
				for k := int64(1); ; k += (fewer + 1) / 2 { // each one, but with the race detector
					for _, forever := range []bool{false, true} {
						b := &broken{op: op, err: err, k: k, forever: forever}
						if err := b.run(t); err != nil {
							t.Fatalf("%s: %v", b, err)
						}
						if b.count.Load() < k && !forever {
							return
						}
					}
				}
			})
		}
	}
}

// TestAFullDisk fills the disk and makes space again, many times.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	fs, h := newSim(1), newHistory()
	r := rand.New(rand.NewPCG(1, 5))
	s := open(t, "/logs", simOptions(fs))
	l := openOne(t, s, "orders", store.Limits{})
	for cycle := range 20 {
		fs.mu.Lock()
		fs.space = fs.usedLocked() + r.Int64N(5000)
		fs.mu.Unlock()
		before, failed := len(h.acked), len(h.failed)
		for len(h.failed) == failed {
			h.append(t, l, r, 10)
			if len(h.acked) > before+5000 {
				t.Fatal("the disk is never full")
			}
		}
		for range 5 { // nothing is there of what was refused
			s := open(t, "/logs", simOptions(fs.cut()))
			if err := h.verify(openOne(t, s, "orders", store.Limits{}), false); err != nil {
				t.Fatalf("cycle %d, full: %v", cycle, err)
			}
			s.Close()
		}
		if got := add(l, store.Record{Data: make([]byte, 1<<20)}); wire.CodeOf(got.Err) != wire.CodeStorageFull {
			t.Fatalf("cycle %d: %+v", cycle, got)
		}
		fs.mu.Lock()
		fs.space = 0
		fs.mu.Unlock()
		before = len(h.acked)
		h.append(t, l, r, 10)
		if len(h.acked) != before+10 {
			t.Fatalf("cycle %d: does not recover", cycle)
		}
		if cycle%5 > 0 {
			continue
		}
		for _, image := range []*sim{fs.killed(), fs.cut()} {
			s := open(t, "/logs", simOptions(image))
			if err := h.verify(openOne(t, s, "orders", store.Limits{}), false); err != nil {
				t.Fatalf("cycle %d: %v", cycle, err)
			}
			s.Close()
		}
	}
}

func (s *sim) cut() *sim {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cutLocked()
}
