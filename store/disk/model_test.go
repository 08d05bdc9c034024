package disk

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// model is a log as simple as can be.
type model struct {
	records     []store.Record
	sizes       []int64
	first, next uint64
	ids         map[string]uint64
	unsure      map[string]bool
	cursors     map[string]string
	hold        uint64
	limits      store.Limits
}

func (m *model) bytes() (n int64) {
	for _, size := range m.sizes {
		n += size
	}
	return n
}

func (m *model) discard(before uint64) {
	for len(m.records) > 0 && m.records[0].Seq < before {
		m.records, m.sizes = m.records[1:], m.sizes[1:]
	}
	m.first = max(m.first, min(before, m.next))
}

// append returns what the receipt has to be; number 0 stands for a refusal.
func (m *model) append(r store.Record) (seq uint64, duplicate bool) {
	if seq, found := m.ids[r.ID]; found && r.ID != "" {
		return seq, true
	}
	size := int64(encodedSize(&r, 0))
	for len(m.records) > 0 && (m.limits.Messages > 0 && int64(len(m.records)) >= m.limits.Messages || m.bytes()+size > m.limits.Bytes) {
		if m.limits.Hold != nil && m.records[0].Seq >= m.hold {
			return 0, false
		}
		m.discard(m.records[0].Seq + 1)
	}
	r.Seq = m.next
	m.next++
	m.records, m.sizes = append(m.records, r), append(m.sizes, size)
	if r.ID != "" {
		m.ids[r.ID] = r.Seq
	}
	return r.Seq, false
}

// TestModel does at random what a log can do, and compares it with a model.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fs := newSim(1)
		o := &Options{fs: fs, segment: int64(rapid.SampledFrom([]int{2 << 10, 20 << 10, 1 << 20}).Draw(t, "segment"))}
		m := &model{next: 1, first: 1, ids: map[string]uint64{}, unsure: map[string]bool{}, cursors: map[string]string{}}
		m.limits.Messages = int64(rapid.SampledFrom([]int{0, 1, 3, 40}).Draw(t, "messages"))
		m.limits.Bytes = int64(rapid.SampledFrom([]int{2 << 10, 20 << 10, 1 << 20}).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "hold") {
			m.limits.Hold = func() uint64 { return m.hold }
		}
		limits := m.limits
		var s *Store
		var l *Log
		reopen := func() {
			// IDs of what is removed may be known still, or not.
			for id, seq := range m.ids {
				if seq < m.first {
					m.unsure[id] = true
				}
			}
			var err error
			if s, err = Open("/logs", o); err != nil {
				t.Fatal(err)
			}
			opened, err := s.Log("l", limits)
			if err != nil {
				t.Fatal(err)
			}
			l = opened.(*Log)
		}
		reopen()
		defer func() { s.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				n := rapid.IntRange(1, 20).Draw(t, "n")
				got := make([]chan store.Receipt, n) // what is refused may be told first
				var want []store.Receipt
				for i := range n {
					got[i] = make(chan store.Receipt, 1)
					r := store.Record{Name: "n", Time: rapid.Int64Range(1, 1000).Draw(t, "time"), Data: make([]byte, rapid.IntRange(0, 300).Draw(t, "size"))}
					if id := rapid.IntRange(0, 30).Draw(t, "id"); id > 0 && !m.unsure[fmt.Sprint(id)] {
						r.ID = fmt.Sprint(id)
					}
					seq, duplicate := m.append(r)
					want = append(want, store.Receipt{Seq: seq, Duplicate: duplicate})
					l.Append(r, func(r store.Receipt) { got[i] <- r })
				}
				for i, w := range want {
					g := <-got[i]
					if g.Err != nil && wire.CodeOf(g.Err) != wire.CodeStorageFull || (g.Err != nil) != (w.Seq == 0) || g.Seq != w.Seq || g.Duplicate != w.Duplicate {
						t.Fatalf("receipt %+v, want %+v", g, w)
					}
				}
			},
			"discard": func(t *rapid.T) {
				before := rapid.Uint64Range(m.first, m.next).Draw(t, "before")
				m.discard(before)
				l.Discard(before)
			},
			"hold": func(t *rapid.T) { m.hold = rapid.Uint64Range(m.hold, m.next).Draw(t, "hold") },
			"cursor": func(t *rapid.T) {
				name, state := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"), rapid.String().Draw(t, "state")
				if rapid.Bool().Draw(t, "remove") {
					l.SetCursor(name, nil)
					delete(m.cursors, name)
				} else {
					l.SetCursor(name, []byte(state))
					m.cursors[name] = state
				}
			},
			"reopen": func(t *rapid.T) {
				s.Close()
				reopen()
			},
			"kill": func(t *rapid.T) {
				l.settle() // what is discarded comes back after a kill at once
				killed := fs.killed()
				s.Close()
				fs = killed
				o.fs = fs
				reopen()
			},
			"": func(t *rapid.T) { m.compare(t, l) },
		})
	})
}

func (m *model) compare(t *rapid.T, l *Log) {
	first, next := l.Bounds()
	if len(m.records) > 0 && first != m.records[0].Seq || len(m.records) == 0 && first != next || next != m.next {
		t.Fatalf("bounds %d, %d, want %d of %d", first, next, len(m.records), m.next)
	}
	if s := l.Stats(); s.Messages != int64(len(m.records)) || s.Bytes != m.bytes() {
		t.Fatalf("%+v, want %d records of %d bytes", s, len(m.records), m.bytes())
	}
	from := rapid.Uint64Range(0, m.next+1).Draw(t, "from")
	room := rapid.IntRange(1, 50).Draw(t, "room")
	got, err := l.Read(nil, from, room, rapid.IntRange(0, 4000).Draw(t, "bytes"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(m.records, func(r store.Record) bool { return r.Seq >= from })
	if i < 0 {
		i = len(m.records)
	}
	want := m.records[i:]
	if len(got) > room || len(got) == 0 && len(want) > 0 || len(got) > len(want) || !slices.EqualFunc(got, want[:len(got)], same) {
		t.Fatalf("read %d records from %d, want %d", len(got), from, len(want))
	}
	at := rapid.Int64Range(0, 1001).Draw(t, "at")
	seq := m.next
	if i := slices.IndexFunc(m.records, func(r store.Record) bool { return r.Time >= at }); i >= 0 {
		seq = m.records[i].Seq
	}
	if got := l.At(timeOf(at)); got != seq {
		t.Fatalf("at %d: %d, want %d", at, got, seq)
	}
	for _, name := range []string{"a", "b"} {
		state, found := m.cursors[name]
		if got := l.Cursor(name); string(got) != state || (got != nil) != found {
			t.Fatalf("cursor %s: %q, want %q", name, got, state)
		}
	}
	if lost := l.Losses(); len(lost) > 0 {
		t.Fatalf("losses %+v", lost)
	}
}

// settle waits until the worker has nothing to do.
func (l *Log) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.busy || l.tidy || len(l.queue) > 0 {
		l.idle.Wait()
	}
}
