package disk

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

// edit changes files of a log as no program should, and says how.
func edit(fs *sim, r *rand.Rand) string {
	var paths []string
	for path := range fs.names {
		if filepath.Base(path) != "lock" {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return "nothing"
	}
	slices.Sort(paths)
	path := paths[r.IntN(len(paths))]
	f := fs.names[path]
	switch n := len(f.data); {
	case r.IntN(8) == 0:
		delete(fs.names, path)
		return "delete " + path
	case n == 0:
	case r.IntN(6) == 0:
		clear(f.data)
		return "zero " + path
	case r.IntN(5) == 0:
		f.data = f.data[:r.IntN(n)]
		return fmt.Sprintf("truncate %s to %d of %d", path, len(f.data), n)
	case r.IntN(4) == 0:
		from := r.IntN(n)
		to := min(n, from+1+r.IntN(5000))
		clear(f.data[from:to])
		return fmt.Sprintf("zero %d to %d of %s", from, to, path)
	default:
		at := r.IntN(n)
		f.data[at] ^= 1 << r.IntN(8)
		return fmt.Sprintf("flip a bit of byte %d in %s", at, path)
	}
	return "nothing"
}

// TestDamageIsSaid is K7: whatever is done to the files, what was kept is
// there as it was or said to be lost, and no number is used twice.
func TestDamageIsSaid(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 6))
	for n := range 300 / fewer {
		fs, h := newSim(seed), newHistory()
		s := open(t, "/logs", simOptions(fs))
		l := openOne(t, s, "orders", store.Limits{})
		for range r.IntN(20) {
			h.step(t, l, r)
		}
		if r.IntN(2) == 0 {
			s.Close()
		}
		used := map[string]map[uint64]string{l.Epoch(): {}}
		for seq, rec := range h.acked {
			used[l.Epoch()][seq] = rec.ID
		}
		epochs := map[string]bool{l.Epoch(): true}
		fs = fs.killed()
		var edits []string
		for round := range 3 {
			for range 1 + r.IntN(3) {
				edits = append(edits, edit(fs, r))
			}
			where := fmt.Sprintf("log %d, round %d, after %s", n, round, strings.Join(edits, ", "))
			s := open(t, "/logs", simOptions(fs))
			l := openOne(t, s, "orders", store.Limits{})
			if err := h.verifyDamaged(l, epochs[l.Epoch()]); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			if used[l.Epoch()] == nil {
				used[l.Epoch()] = map[uint64]string{}
			}
			for range 5 {
				rec := numbered(r.Int())
				rec.Time = 1
				got := add(l, rec)
				if got.Err != nil {
					t.Fatalf("%s: %v", where, got.Err)
				}
				if old := used[l.Epoch()][got.Seq]; old != "" {
					t.Fatalf("%s: (%s, %d) is given to %s and %s", where, l.Epoch(), got.Seq, old, rec.ID)
				}
				used[l.Epoch()][got.Seq] = rec.ID
				rec.Seq = got.Seq
				h.tried[rec.ID], h.acked[got.Seq] = rec, rec
			}
			clear(epochs) // it may not come back
			epochs[l.Epoch()] = true
			s.Close()
			fs = fs.killed()
		}
	}
}

// verifyDamaged is verify, where a new epoch may stand for what cannot be
// known.
func (h *history) verifyDamaged(l *Log, sameEpoch bool) error {
	if sameEpoch {
		return h.verify(l, true)
	}
	// What is there has to be right, and what is missing between two of them
	// said to be lost. Of what was before and behind nobody can know.
	first, next := l.Bounds()
	for seq := range h.acked {
		if seq < first || seq >= next {
			delete(h.acked, seq)
		}
	}
	return h.verify(l, true)
}

// TestDamageWhileOpen is found by whoever reads there.
func TestDamageWhileOpen(t *testing.T) {
	fs := newSim(1)
	s := open(t, "/logs", simOptions(fs))
	l := openOne(t, s, "orders", store.Limits{})
	for i := range 100 {
		mustAdd(t, l, numbered(i))
	}
	fs.mu.Lock()
	f := fs.names[l.path(segmentName(1))]
	f.data[segmentHeader+10*encodedSize(new(numbered(10)), 0)] ^= 1
	fs.mu.Unlock()
	if got := readAllOf(t, l, 1); len(got) != 99 {
		t.Fatalf("%d records", len(got))
	}
	lost := l.Losses()
	if len(lost) != 1 || lost[0].From != lost[0].To || l.Stats().Messages != 99 {
		t.Fatalf("losses %+v, %+v", lost, l.Stats())
	}
	s.Close()
	s = open(t, "/logs", simOptions(fs))
	if got := openOne(t, s, "orders", store.Limits{}).Losses(); !slices.Equal(got, lost) {
		t.Fatalf("losses %+v, before %+v", got, lost)
	}
}

// TestALostTail is what the mark is for.
func TestALostTail(t *testing.T) {
	fs := newSim(1)
	s := open(t, "/logs", simOptions(fs))
	l := openOne(t, s, "orders", store.Limits{})
	for i := range 100 {
		mustAdd(t, l, numbered(i))
	}
	epoch := l.Epoch()
	s.Close()
	f := fs.names[l.path(segmentName(1))]
	f.data = f.data[:len(f.data)/2]
	for range 2 {
		s = open(t, "/logs", simOptions(fs))
		l = openOne(t, s, "orders", store.Limits{})
		if epoch == l.Epoch() {
			t.Fatal("the same epoch")
		}
		kept := uint64(len(readAllOf(t, l, 0)))
		first, next := l.Bounds()
		if lost := l.Losses(); len(lost) != 1 || lost[0].From != kept+1 || lost[0].To != 100 || first != 1 || next != 101 {
			t.Fatalf("%d records, losses %+v, bounds %d, %d", kept, lost, first, next)
		}
		s.Close()
	}
	s = open(t, "/logs", simOptions(fs))
	l = openOne(t, s, "orders", store.Limits{})
	epoch = l.Epoch()
	if seq := mustAdd(t, l, numbered(100)); seq != 101 {
		t.Fatalf("number %d", seq)
	}
	s.Close()
	l = openOne(t, open(t, "/logs", simOptions(fs)), "orders", store.Limits{})
	if l.Epoch() != epoch || len(l.Losses()) != 1 {
		t.Fatalf("epoch %s after %s, losses %+v", l.Epoch(), epoch, l.Losses())
	}
}

// TestACursorThatIsLostIsMissed damages what a log keeps of its readers, in
// one place at a time: each of them is where it once was, or empty, and never
// as if it had not been.
func TestACursorThatIsLostIsMissed(t *testing.T) {
	t.Parallel()
	made := newSim(1)
	s := open(t, "/logs", simOptions(made))
	l := openOne(t, s, "orders", store.Limits{})
	were := map[string][]string{}
	for i, name := range []string{"group/audit", "group/books", "group/gone", "group/audit", "group/\xff"} {
		if err := l.SetCursor(name, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		were[name] = append(were[name], fmt.Sprint(i), "")
	}
	if err := l.SetCursor("group/gone", nil); err != nil {
		t.Fatal(err)
	}
	delete(were, "group/gone")
	s.Close()
	path := l.path("cursors")
	size := len(made.names[path].data)
	edits := map[string]func(fs *sim){"nothing": func(*sim) {}}
	for at := range size {
		edits[fmt.Sprint("bit flipped in ", at)] = func(fs *sim) { fs.names[path].data[at] ^= 1 << (at % 8) }
		edits[fmt.Sprint("cut off at ", at)] = func(fs *sim) { fs.names[path].data = fs.names[path].data[:at] }
	}
	edits["no journal"] = func(fs *sim) { delete(fs.names, path) }
	edits["no roster"] = func(fs *sim) { delete(fs.names, l.path("roster")) }
	edits["a journal of zeros"] = func(fs *sim) { clear(fs.names[path].data) }
	for what, change := range edits {
		fs := made.killed()
		change(fs)
		for again := range 2 { // the second time as the first has left it
			s := open(t, "/logs", simOptions(fs))
			l := openOne(t, s, "orders", store.Limits{})
			for name, states := range were {
				if state := l.Cursor(name); state == nil || !slices.Contains(states, string(state)) {
					t.Errorf("%s, opened %d times: %s is %q", what, again+1, name, state)
				}
			}
			if names := l.Cursors(); len(names) != len(were) && len(names) != len(were)+1 {
				t.Errorf("%s: there are %q", what, names)
			}
			if err := l.SetCursor("group/books", []byte("1")); err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
	}
}
