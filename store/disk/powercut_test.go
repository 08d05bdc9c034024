package disk

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/ekkojs/ipc/store"
)

// simOptions makes segments short.
func simOptions(s *sim) *Options { return &Options{fs: s, segment: 64 << 10} }

// image is a file system at some moment, with what was known then.
type image struct {
	fs      *sim
	history *history
	epoch   string
	killed  bool // not cut
}

// cutLimits has IDs not keep segments back in every second run.
func cutLimits(seed uint64) (l store.Limits) {
	if seed%2 == 1 {
		l.Dedupe = -1
	}
	return l
}

// runAndCut works on a log and cuts the power at random moments, and some
// times kills the process only.
func runAndCut(t *testing.T, seed uint64, unsafe bool) (images []image) {
	r := rand.New(rand.NewPCG(seed, 2))
	fs, h := newSim(seed), newHistory()
	o := simOptions(fs)
	o.unsafe = unsafe
	s := open(t, "/logs", o)
	l := openOne(t, s, "orders", cutLimits(seed))
	at := 50 + r.IntN(300)
	fs.mu.Lock()
	fs.before = func(n int, _, _ string) error {
		if n >= at && len(images) < 5 {
			at = n + 1 + fs.rand.IntN(200)
			i := image{history: h.copy(), epoch: l.Epoch(), killed: fs.rand.IntN(4) == 0}
			if i.killed {
				i.fs = fs.killedLocked()
			} else {
				i.fs = fs.cutLocked()
			}
			images = append(images, i)
		}
		return nil
	}
	fs.mu.Unlock()
	for range 60 {
		h.step(t, l, r)
	}
	fs.mu.Lock()
	fs.before = nil
	fs.mu.Unlock()
	s.Close()
	return images
}

// TestAPowerCutLosesNothing is D1 with every write, synchronization and
// rename as the last one.
func TestAPowerCutLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(120 / fewer) {
		for n, i := range runAndCut(t, seed, false) {
			s := open(t, "/logs", simOptions(i.fs))
			l := openOne(t, s, "orders", cutLimits(seed))
			if err := i.history.verify(l, false); err != nil {
				t.Fatalf("seed %d, image %d: %v", seed, n, err)
			}
			if l.Epoch() != i.epoch {
				t.Fatalf("seed %d, image %d: a new epoch without a loss", seed, n)
			}
			if i.killed {
				for name, want := range i.history.cursors {
					if got := string(l.Cursor(name)); got != want {
						t.Fatalf("seed %d, image %d: cursor %s is %q, not %q", seed, n, name, got, want)
					}
				}
			}
			r := rand.New(rand.NewPCG(seed, 3))
			i.history.append(t, l, r, 1+r.IntN(5))
			s.Close()
			s = open(t, "/logs", simOptions(i.fs))
			if err := i.history.verify(openOne(t, s, "orders", cutLimits(seed)), false); err != nil {
				t.Fatalf("seed %d, image %d, afterwards: %v", seed, n, err)
			}
			s.Close()
		}
	}
}

// TestAPowerCutWithoutFsyncIsNoticed proves the test above: when nothing is
// forced to the medium it finds that.
func TestAPowerCutWithoutFsyncIsNoticed(t *testing.T) {
	t.Parallel()
	noticed, images := 0, 0
	for seed := range uint64(5) {
		for _, i := range runAndCut(t, seed, true) {
			if i.killed {
				continue
			}
			images++
			s := open(t, "/logs", simOptions(i.fs))
			if i.history.verify(openOne(t, s, "orders", store.Limits{}), false) != nil {
				noticed++
			}
			s.Close()
		}
	}
	if noticed < images/2 {
		t.Fatalf("noticed in %d of %d images only", noticed, images)
	}
}

// TestAKillAndThenAPowerCut has records that were written by who was killed,
// and never forced to the medium: once somebody has read them they stay.
func TestAKillAndThenAPowerCut(t *testing.T) {
	for seed := range uint64(10) {
		fs := newSim(seed)
		s := open(t, "/logs", simOptions(fs))
		l := openOne(t, s, "orders", store.Limits{})
		mustAdd(t, l, numbered(1))
		s.Close()
		f, err := fs.open(l.path(segmentName(1)), os.O_RDWR)
		if err != nil {
			t.Fatal(err)
		}
		rec := numbered(2)
		rec.Seq = 2
		end, _ := f.size()
		if _, err := f.WriteAt(appendRecord(nil, &rec, nil, 1, flagBatch, l.seed), end); err != nil {
			t.Fatal(err)
		}
		s = open(t, "/logs", simOptions(fs))
		if got := readAllOf(t, openOne(t, s, "orders", store.Limits{}), 0); len(got) != 2 {
			t.Fatalf("%d records", len(got))
		}
		cut := fs.cut()
		s.Close()
		l = openOne(t, open(t, "/logs", simOptions(cut)), "orders", store.Limits{})
		if got := readAllOf(t, l, 0); len(got) != 2 || len(l.Losses()) > 0 {
			t.Fatalf("%d records, losses %+v", len(got), l.Losses())
		}
	}
}
