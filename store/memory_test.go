package store_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T, string) store.Store { return store.NewMemory() }, storetest.Options{})
}

func memoryLog(t testing.TB, limits store.Limits) store.Log {
	t.Helper()
	s := store.NewMemory()
	t.Cleanup(func() { s.Close() })
	l, err := s.Log("log", limits)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestALoneAppenderHasItsReceiptAtOnce(t *testing.T) {
	l := memoryLog(t, store.Limits{})
	var got store.Receipt
	l.Append(store.Record{Name: "n"}, func(r store.Receipt) { got = r })
	if got.Seq != 1 {
		t.Fatalf("receipt %+v", got)
	}
	l.Append(store.Record{Name: "n"}, nil)
	if _, next := l.Bounds(); next != 3 {
		t.Fatalf("next is %d", next)
	}
}

func TestAClosedLogInMemoryIsGone(t *testing.T) {
	s := store.NewMemory()
	defer s.Close()
	before, _ := s.Log("log", store.Limits{})
	before.Append(store.Record{Name: "n"}, nil)
	before.Close()
	after, _ := s.Log("log", store.Limits{})
	if _, next := after.Bounds(); next != 1 || after.Epoch() == before.Epoch() {
		t.Fatalf("next is %d in the epoch %s", next, after.Epoch())
	}
}

func TestTheNewestIDsAreRemembered(t *testing.T) {
	l := memoryLog(t, store.Limits{Messages: 1})
	var last store.Receipt
	add := func(i int) store.Receipt {
		l.Append(store.Record{Name: "n", ID: fmt.Sprint(i)}, func(r store.Receipt) { last = r })
		return last
	}
	for i := range store.MaxIDs + 1 {
		add(i)
	}
	if r := add(1); !r.Duplicate || r.Seq != 2 {
		t.Fatalf("the oldest that is remembered: %+v", r)
	}
	if r := add(0); r.Duplicate {
		t.Fatalf("the newest that is not: %+v", r)
	}
}

// TestWhatIsRemovedIsFreed keeps the memory of a log near to what it holds.
func TestWhatIsRemovedIsFreed(t *testing.T) {
	l := memoryLog(t, store.Limits{Messages: 10})
	data := make([]byte, 1000)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for range 200_000 {
		l.Append(store.Record{Name: "n", Data: data, Time: 1}, nil)
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes for 10 records of 1000", grown)
	}
	runtime.KeepAlive(l)
}

var payload = []byte(`{"orderId":456,"total":99.99,"customer":"somebody with a name","items":["first","second","third"],"x":1}`)

func BenchmarkMemoryAppend(b *testing.B) {
	done := func(store.Receipt) {}
	for name, limits := range map[string]store.Limits{
		"last=1": {Messages: 1}, "messages=10000": {Messages: 10_000}, "bytes=64MiB": {Bytes: 64 << 20},
	} {
		b.Run(name, func(b *testing.B) {
			l := memoryLog(b, limits)
			b.ReportAllocs()
			for b.Loop() {
				l.Append(store.Record{Name: "order.completed", Data: payload, Time: 1}, done)
			}
		})
	}
	b.Run("clock", func(b *testing.B) {
		l := memoryLog(b, store.Limits{Messages: 10_000})
		b.ReportAllocs()
		for b.Loop() {
			l.Append(store.Record{Name: "order.completed", Data: payload}, done)
		}
	})
	b.Run("ids", func(b *testing.B) {
		l := memoryLog(b, store.Limits{Messages: 10_000})
		ids := make([]string, 1<<19)
		for i := range ids {
			ids[i] = fmt.Sprintf("publisher/%d", i)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			l.Append(store.Record{Name: "order.completed", Data: payload, ID: ids[i%len(ids)]}, done)
		}
	})
}

func BenchmarkMemoryRead(b *testing.B) {
	l := memoryLog(b, store.Limits{Messages: 10_000})
	for range 10_000 {
		l.Append(store.Record{Name: "order.completed", Data: payload}, nil)
	}
	dst := make([]store.Record, 0, 100)
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = l.Read(dst[:0], 5000, 100, 1<<20)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/record")
}
