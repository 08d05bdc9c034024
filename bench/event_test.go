//go:build !solo

package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

// checkEvents: every peer that is there has a row for each number of
// subscribers, and lost nothing.
func checkEvents(t *testing.T, r *eventReport) {
	t.Helper()
	for _, p := range eventPeers {
		if !slices.Contains(eventOrder, p.name) {
			t.Errorf("%s has no place in the report", p.name)
		}
		if p.absent != nil && p.absent() != "" {
			if !slices.ContainsFunc(r.Rows, func(x eventRow) bool { return x.Peer == p.name && x.Absent != "" }) {
				t.Errorf("%s is absent, and nobody says so", p.name)
			}
			continue
		}
		for _, n := range []int{1, 3} {
			x := r.row(p.name, n)
			if x == nil {
				t.Errorf("%s, 1 → %d: no row", p.name, n)
				continue
			}
			if x.PerS <= 0 || x.Lost+x.Late > 0 || x.Delivered%uint64(n*stride) != 0 || (n == 1) != (x.P50 > 0 && x.P99 >= x.P50) {
				t.Errorf("implausible: %+v", x)
			}
			if p.module != "" && x.Version == "" {
				t.Errorf("%s: no version", p.name)
			}
		}
	}
}

func checkDurable(t *testing.T, r *durableReport) {
	t.Helper()
	for _, p := range durablePeers {
		if !slices.Contains(durableOrder, p.name) {
			t.Errorf("%s has no place in the report", p.name)
		}
	}
	if len(r.Rows) != 2*len(durablePeers) {
		t.Errorf("%d rows", len(r.Rows))
	}
	for _, x := range r.Rows {
		if x.PerS <= 0 || x.P50 <= 0 || x.P99 < x.P50 {
			t.Errorf("implausible: %+v", x)
		}
	}
}

func TestTick(t *testing.T) {
	k, like := newTick(), newTick()
	for want := range uint64(100_001) {
		if n := k.number(); n != want {
			t.Fatalf("number %d, want %d", n, want)
		}
		k.next()
	}
	if _, ok := k.time(); ok {
		t.Error("there is a time")
	}
	k.stamp(12345678901234567)
	if at, ok := k.time(); !ok || at != 12345678901234567 {
		t.Errorf("time %d, %v", at, ok)
	}
	if !json.Valid(k) || len(k) != smallSize || !sameTick(k, like) {
		t.Errorf("%d bytes: %s", len(k), k)
	}
	k[len(k)-3]++
	if sameTick(k, like) || sameTick(k[1:], like) || sameTick(nil, like) {
		t.Error("what is no tick is taken for one")
	}
}

// lossy is a publisher whose subscribers are ears in this process.
type lossy struct {
	ears []*ear
	n    int
	send func(n int, data []byte, hear func([]byte))
}

func (l *lossy) publish(data []byte) error {
	l.n++
	for _, e := range l.ears {
		l.send(l.n, data, e.hear)
	}
	return nil
}

func newPacer(t *testing.T, subscribers int, send func(int, []byte, func([]byte))) *pacer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "progress")
	mine, err := shareMemory(path, subscribers)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := shareMemory(path, subscribers)
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{send: send}
	for i := range theirs {
		l.ears = append(l.ears, &ear{place: &theirs[i], like: newTick(), delays: recorder{to: new(histogram)}})
	}
	return &pacer{to: l, places: mine, tick: newTick(), patience: time.Millisecond}
}

func TestPacerCounts(t *testing.T) {
	for name, x := range map[string]struct {
		send       func(int, []byte, func([]byte))
		lost, late uint64 // of each subscriber, of the first 64 events
	}{
		"all":   {func(_ int, data []byte, hear func([]byte)) { hear(data) }, 0, 0},
		"two":   {func(n int, data []byte, hear func([]byte)) { skip(n == 5 || n == 16, data, hear) }, 2, 0},
		"twice": {func(n int, data []byte, hear func([]byte)) { hear(data); skip(n != 7, data, hear) }, 0, 1},
	} {
		h, err := newPacer(t, 3, x.send).run(-time.Second)
		if err != nil {
			t.Fatal(name, err)
		}
		if h.Published != 64 || h.Late != 3*x.late || h.Lost != 3*x.lost || h.Delivered != 3*(64-x.lost) {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

// TestPacerGoesOn: what is lost at the end is not waited for, and is counted
// once, with as much as the subscriber may not have told of yet.
func TestPacerGoesOn(t *testing.T) {
	p := newPacer(t, 1, func(n int, data []byte, hear func([]byte)) { skip(n > 60 && n <= 64, data, hear) })
	for range 2 {
		h, err := p.run(-time.Second)
		if err != nil || h.Published != 64 || h.Lost != 0 && (h.Lost < 4 || h.Lost >= 4+stride) {
			t.Errorf("%+v, %v", h, err)
		}
	}
	if lost := p.counted.Lost; lost != 4 {
		t.Errorf("%d lost in all", lost)
	}
}

// skip gives data to hear unless it is to be lost.
func skip(lost bool, data []byte, hear func([]byte)) {
	if !lost {
		hear(data)
	}
}

func TestPacerSingle(t *testing.T) {
	p := newPacer(t, 1, func(_ int, data []byte, hear func([]byte)) { hear(data) })
	h, err := p.single(0)
	if err != nil || h.Published != stride || h.Lost > 0 {
		t.Errorf("%+v, %v", h, err)
	}
	e := p.to.(*lossy).ears[0]
	if e.delays.to.total != stride {
		t.Errorf("%d times were taken", e.delays.to.total)
	}
	if _, ok := p.tick.time(); ok {
		t.Error("the next events have a time")
	}
}

func TestPacerRefusesStrangeData(t *testing.T) {
	p := newPacer(t, 1, func(_ int, data []byte, hear func([]byte)) {
		hear(data)
		hear(bytes.ToUpper(data))
	})
	if h, err := p.run(-time.Second); err == nil {
		t.Errorf("%+v", h)
	}
}

// countingStore has a log that counts what it is given.
type countingStore struct {
	store.Store
	log countingLog
}

func (s *countingStore) Log(string, store.Limits) (store.Log, error) { return &s.log, nil }

type countingLog struct {
	store.Log
	kept uint64
}

func (l *countingLog) Append(r store.Record, done func(store.Receipt)) {
	l.kept++
	go done(store.Receipt{Seq: l.kept})
}

func TestOfStore(t *testing.T) {
	s := new(countingStore)
	k, err := ofStore("a store", func(string) (store.Store, error) { return s, nil }).open("", "")
	if err != nil {
		t.Fatal(err)
	}
	if l, err := runKeep(k, 1, 0); err != nil || l.Calls != 1 || s.log.kept != 1 {
		t.Errorf("%+v, %v, %d kept", l, err, s.log.kept)
	}
}

// TestWithOthers: what was not measured stays in the file.
func TestWithOthers(t *testing.T) {
	s := &settings{out: filepath.Join(t.TempDir(), "results.json")}
	calls := some()
	if whole, err := s.withOthers(calls); err != nil || whole != calls {
		t.Fatalf("without a file: %+v, %v", whole, err)
	}
	if err := calls.write(s.out); err != nil {
		t.Fatal(err)
	}
	events := &report{Events: &eventReport{Rounds: 7}}
	whole, err := s.withOthers(events)
	if err != nil || len(whole.Rows) != len(calls.Rows) || whole.Events != events.Events {
		t.Fatalf("events alone: %+v, %v", whole, err)
	}
	if err := whole.write(s.out); err != nil {
		t.Fatal(err)
	}
	fewer := &report{Rows: calls.Rows[:1]}
	if whole, err = s.withOthers(fewer); err != nil || len(whole.Rows) != 1 || whole.Events.Rounds != 7 {
		t.Errorf("calls alone: %+v, %v", whole, err)
	}
}
