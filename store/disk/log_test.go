package disk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// TestManyAtOnce has writers, readers and somebody who discards at the same
// time, on a real disk.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, &Options{segment: 64 << 10})
	l := openOne(t, s, "orders", store.Limits{})
	var mu sync.Mutex
	var seqs []uint64
	var writers, others sync.WaitGroup
	for w := range 64 {
		writers.Go(func() {
			for i := range 40 {
				var got sync.WaitGroup
				got.Add(1)
				l.Append(numbered(w*1000+i), func(r store.Receipt) {
					defer got.Done()
					mu.Lock()
					defer mu.Unlock()
					if r.Err != nil {
						t.Error(r.Err)
					}
					seqs = append(seqs, r.Seq)
				})
				got.Wait()
			}
		})
	}
	stop := make(chan struct{})
	for range 2 {
		others.Go(func() {
			for from := uint64(1); ; {
				got, err := l.Read(nil, from, 50, 16<<10)
				if err != nil {
					t.Error(err)
				}
				if len(got) > 0 {
					from = got[len(got)-1].Seq + 1
					l.At(time.Now())
					l.SetCursor("c", fmt.Append(nil, from))
					continue
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	others.Go(func() {
		for {
			_, next := l.Bounds()
			l.Discard(next / 2)
			l.Stats()
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	writers.Wait()
	close(stop)
	others.Wait()
	for i, seq := range seqs { // in the order in which done was called
		if seq != uint64(i+1) {
			t.Fatalf("receipt %d is for %d", i, seq)
		}
	}
	all := readAllOf(t, l, 0)
	if first, next := l.Bounds(); all[0].Seq != first || next != 64*40+1 || len(all) != int(next-first) {
		t.Fatalf("bounds %d, %d; %d records from %d", first, next, len(all), all[0].Seq)
	}
}

// copyDir is what a kill leaves of a log, but that it looks at one file after
// the other while they change, as no kill does. So the mark comes first:
// nothing of which it tells is missing later.
func copyDir(t *testing.T, from, to string) {
	os.MkdirAll(to, 0o700)
	clone := func(name string) {
		// Read until it stood still: who reads while it is written may see what
		// came later and not what came before, which no killed process leaves.
		b, err := os.ReadFile(filepath.Join(from, name))
		for again := []byte(nil); err == nil && !bytes.Equal(b, again); {
			again = b
			b, err = os.ReadFile(filepath.Join(from, name))
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	clone("mark")
	clone("state")
	segments, err := filepath.Glob(filepath.Join(from, "*"+segmentSuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		clone(filepath.Base(s))
	}
}

// TestAKillLosesNothing copies the files while records are appended, and
// opens the copies.
func TestAKillLosesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "live"), &Options{segment: 256 << 10})
	l := openOne(t, s, "orders", store.Limits{})
	h := newHistory()
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		r := rand.New(rand.NewPCG(1, 7))
		for {
			select {
			case <-stop:
				return
			default:
				h.append(t, l, r, 1+r.IntN(30))
			}
		}
	})
	for n := range 10 {
		known := h.copy()
		to := filepath.Join(dir, fmt.Sprint("copy", n))
		copyDir(t, l.dir, filepath.Join(to, filepath.Base(l.dir)))
		c := open(t, to, &Options{segment: 256 << 10})
		l := openOne(t, c, "orders", store.Limits{})
		h.mu.Lock()
		for id, rec := range h.tried { // what came while it was copied
			known.tried[id] = rec
		}
		h.mu.Unlock()
		if err := known.verify(l, false); err != nil {
			t.Error(err)
		}
		c.Close()
	}
	close(stop)
	writer.Wait()
}

func TestReopened(t *testing.T) {
	dir := t.TempDir()
	limits := store.Limits{Messages: 500}
	const name = "Orders/ü\xff"
	s := open(t, dir, &Options{segment: 8 << 10})
	l := openOne(t, s, name, limits)
	for i := range 1000 {
		l.Append(numbered(i), func(store.Receipt) {})
	}
	mustAdd(t, l, store.Record{ID: "last", Name: "n", Group: "g", Dead: &store.Dead{Seq: 7, Reason: "why"}})
	l.Discard(600)
	if err := l.SetCursor("a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	epoch, all := l.Epoch(), readAllOf(t, l, 0)
	first, next := l.Bounds()
	if first != 600 || next != 1002 || len(all) != 402 || l.Stats().Removed != 599 {
		t.Fatalf("bounds %d, %d, %d records, %+v", first, next, len(all), l.Stats())
	}
	stats := l.Stats()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if r := add(l, numbered(1)); wire.CodeOf(r.Err) != wire.CodeStorageUnavailable {
		t.Fatalf("after Close: %+v", r)
	}
	s = open(t, dir, nil)
	l = openOne(t, s, name, limits)
	if f, n := l.Bounds(); f != first || n != next || l.Epoch() != epoch || string(l.Cursor("a")) != "1" {
		t.Fatalf("bounds %d, %d, epoch %s (%s), cursor %s", f, n, l.Epoch(), epoch, l.Cursor("a"))
	}
	again := readAllOf(t, l, 0)
	if !slices.EqualFunc(all, again, same) {
		t.Fatal("other records")
	}
	if now := l.Stats(); now.Messages != stats.Messages || now.Bytes != stats.Bytes {
		t.Fatalf("%+v, before %+v", now, stats)
	}
	for _, id := range []int{0, 999} { // the first one is discarded, and known
		if r := add(l, numbered(id)); !r.Duplicate || r.Seq != uint64(id+1) {
			t.Fatalf("appended again: %+v", r)
		}
	}
}

func TestLimits(t *testing.T) {
	fs := newSim(1)
	s := open(t, "/logs", &Options{fs: fs, segment: 4 << 10})
	need := uint64(1)
	l := openOne(t, s, "held", store.Limits{Bytes: 20 << 10, Hold: func() uint64 { return need }})
	n := 0
	for ; ; n++ {
		if r := add(l, numbered(n)); r.Err != nil {
			if wire.CodeOf(r.Err) != wire.CodeStorageFull {
				t.Fatal(r.Err)
			}
			break
		}
	}
	if l.Stats().Bytes > 20<<10 || n < 100 {
		t.Fatalf("%d records, %+v", n, l.Stats())
	}
	need = 51
	for range 50 {
		mustAdd(t, l, numbered(n))
		n++
	}
	if r := add(l, numbered(n)); wire.CodeOf(r.Err) != wire.CodeStorageFull {
		t.Fatalf("%+v", r)
	}
	if first, _ := l.Bounds(); first != 51 {
		t.Fatalf("first %d", first)
	}
	if r := add(l, store.Record{Data: make([]byte, 20<<10)}); wire.CodeOf(r.Err) != wire.CodeMessageTooLarge {
		t.Fatalf("%+v", r)
	}
	if r := add(l, store.Record{ID: strings.Repeat("x", 129)}); wire.CodeOf(r.Err) != wire.CodeMessageTooLarge {
		t.Fatalf("%+v", r)
	}
}

// TestTimeRemoves has records, IDs and the space of both go with time.
func TestTimeRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := newSim(1)
		s, err := Open("/logs", &Options{fs: fs, segment: 4 << 10})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		l := openOne(t, s, "old", store.Limits{Age: time.Hour, Dedupe: time.Minute})
		start := time.Now()
		for i := range 200 {
			mustAdd(t, l, numbered(i))
			time.Sleep(time.Second)
		}
		if got := l.At(start.Add(100 * time.Second)); got != 101 {
			t.Fatalf("at 100 s: %d", got)
		}
		if r := add(l, numbered(190)); !r.Duplicate || r.Seq != 191 {
			t.Fatalf("%+v", r)
		}
		if seq := mustAdd(t, l, numbered(10)); seq != 201 { // known for a minute only
			t.Fatalf("number %d", seq)
		}
		time.Sleep(time.Hour - 100*time.Second)
		if first, _ := l.Bounds(); first < 90 || first > 110 {
			t.Fatalf("first %d", first)
		}
		time.Sleep(time.Hour)
		if first, next := l.Bounds(); first != 202 || next != 202 {
			t.Fatalf("bounds %d, %d", first, next)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		names, _ := fs.list(l.dir)
		if got := strings.Join(names, " "); strings.Contains(got, segmentSuffix) {
			t.Fatalf("there is still %s", got)
		}
		if seq := mustAdd(t, l, numbered(1)); seq != 202 {
			t.Fatalf("number %d", seq)
		}
	})
}

// TestTooMuchWaits has the medium stand still: what is too much is refused
// meanwhile, and so is what can never be kept.
func TestTooMuchWaits(t *testing.T) {
	fs := newSim(1)
	s := open(t, "/logs", &Options{fs: fs, MaxWaiting: 10_000})
	l := openOne(t, s, "slow", store.Limits{})
	hold := make(chan struct{})
	fs.mu.Lock()
	fs.before = func(int, string, string) error { <-hold; return nil }
	fs.mu.Unlock()
	refused := 0
	kept := make(chan store.Receipt, 50)
	for i := range 50 {
		l.Append(numbered(i), func(r store.Receipt) {
			if r.Err == nil {
				kept <- r
				return
			}
			e := r.Err.(*wire.Error)
			if e.Code != wire.CodeOverloaded || e.Details.Executed != wire.ExecutedNo || !e.Details.Retryable || e.Details.RetryAfter == 0 {
				t.Error(e, e.Details)
			}
			refused++
		})
	}
	if refused < 10 || refused > 40 || len(kept) != 0 {
		t.Errorf("%d are refused and %d kept while the medium stands still", refused, len(kept))
	}
	again := make(chan store.Receipt, 2)
	for range cap(again) { // duplicates wait too, and there is room for one at most
		l.Append(numbered(0), func(r store.Receipt) { again <- r })
	}
	if r := <-again; wire.CodeOf(r.Err) != wire.CodeOverloaded {
		t.Errorf("a duplicate: %+v", r)
	}
	if r := add(l, store.Record{Data: make([]byte, MaxRecord+1)}); wire.CodeOf(r.Err) != wire.CodeMessageTooLarge {
		t.Errorf("a large one: %+v", r)
	}
	close(hold)
	for i := range 50 - refused {
		if r := <-kept; r.Seq != uint64(i+1) {
			t.Errorf("%+v is number %d", r, i+1)
		}
	}
	if r := add(l, numbered(0)); !r.Duplicate || r.Seq != 1 {
		t.Errorf("the duplicate again: %+v", r)
	}
	if got := l.Stats(); got.Refused < uint64(refused)+2 || got.Appended != uint64(50-refused) || l.waiting != 0 {
		t.Errorf("%+v, and %d wait", got, l.waiting)
	}
}

func TestCursorsAreCompacted(t *testing.T) {
	fs := newSim(1)
	s := open(t, "/logs", simOptions(fs))
	l := openOne(t, s, "orders", store.Limits{})
	state := bytes.Repeat([]byte("x"), store.MaxCursorSize)
	for i := range 100 {
		if err := l.SetCursor("big", append(state[:len(state)-1], byte(i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(fs.names[l.path("cursors")].data); n > 2<<20 {
		t.Fatalf("%d bytes", n)
	}
	for i := range store.MaxCursors - 1 {
		if err := l.SetCursor(fmt.Sprint(i), []byte{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SetCursor("more", state); wire.CodeOf(err) != wire.CodeQuotaExceeded {
		t.Fatal(err)
	}
	if err := l.SetCursor("big", nil); err != nil {
		t.Fatal(err)
	}
	s.Close()
	l = openOne(t, open(t, "/logs", simOptions(fs)), "orders", store.Limits{})
	if got := l.Cursors(); len(got) != store.MaxCursors-1 || l.Cursor("big") != nil || l.Cursor("7") == nil {
		t.Fatalf("%d cursors, %v", len(got), l.Cursor("7"))
	}
}

func TestNames(t *testing.T) {
	seen := map[string]string{}
	long := strings.Repeat("é", 100)
	for _, name := range []string{"orders", "Orders", "or/ders", "..", ".", "con", "a.", "a", "%61", "\x00", long, long + "x", strings.Repeat("a", 255)} {
		dir := dirName(name)
		if other, found := seen[dir]; found || len(dir) > 200 || strings.ContainsAny(dir, "/\\:\x00") {
			t.Errorf("%q is %q, as %q is", name, dir, other)
		}
		seen[dir] = name
	}
}

func TestDefaultDir(t *testing.T) {
	if dir, err := DefaultDir("database-service"); err != nil || !filepath.IsAbs(dir) || filepath.Base(dir) != "database-service" {
		t.Fatal(dir, err)
	}
	for _, bad := range []string{"", "..", "a/b", ".x"} {
		if dir, err := DefaultDir(bad); wire.CodeOf(err) != wire.CodeInvalidName {
			t.Errorf("%q: %s, %v", bad, dir, err)
		}
	}
}
