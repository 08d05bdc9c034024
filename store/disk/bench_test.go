package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc/store"
)

// benchDir is on the disk that $EKKO_BENCH_DIR names, or where tests are.
func benchDir(b *testing.B) string {
	if dir := os.Getenv("EKKO_BENCH_DIR"); dir != "" {
		dir, err := os.MkdirTemp(dir, "disk")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return b.TempDir()
}

var benchRecord = store.Record{Name: "orders.created", Data: make([]byte, 256)}

// BenchmarkAppend has so many publishers each wait for their record to be
// safe before they append the next.
func BenchmarkAppend(b *testing.B) {
	for _, publishers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(publishers), func(b *testing.B) {
			l := openOne(b, open(b, benchDir(b), nil), "bench", store.Limits{})
			b.ReportAllocs()
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var group sync.WaitGroup
			for range publishers {
				group.Go(func() {
					c := make(chan store.Receipt, 1)
					done := func(r store.Receipt) { c <- r }
					for left.Add(-1) >= 0 {
						l.Append(benchRecord, done)
						if r := <-c; r.Err != nil {
							b.Error(r.Err)
							return
						}
					}
				})
			}
			group.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(b.N)/float64(l.Stats().Syncs), "records/sync")
		})
	}
}

// BenchmarkBareWriteFsync is what the disk can do: a file that grows by the
// bytes of one record, and is forced to the medium each time.
func BenchmarkBareWriteFsync(b *testing.B) {
	f, err := os.OpenFile(filepath.Join(benchDir(b), "bare"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	record := make([]byte, encodedSize(&benchRecord, 0))
	b.ResetTimer()
	for range b.N {
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		if err := syncData(f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// fill appends n records without waiting for each.
func fill(b *testing.B, l *Log, n int) {
	var group sync.WaitGroup
	for range n {
		group.Add(1)
		l.Append(benchRecord, func(r store.Receipt) {
			if r.Err != nil {
				b.Error(r.Err)
			}
			group.Done()
		})
	}
	group.Wait()
}

func BenchmarkRead(b *testing.B) {
	l := openOne(b, open(b, benchDir(b), nil), "bench", store.Limits{})
	const n = 10_000
	fill(b, l, n)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		for from := uint64(1); left > 0; {
			got, err := l.Read(nil, from, min(left, 256), 1<<20)
			if err != nil {
				b.Fatal(err)
			}
			if len(got) == 0 {
				break
			}
			from = got[len(got)-1].Seq + 1
			left -= len(got)
		}
	}
}

// BenchmarkOpenMillion opens a log with a million records of 256 bytes, all
// of which it checks.
func BenchmarkOpenMillion(b *testing.B) {
	dir := benchDir(b)
	limits := store.Limits{Bytes: 1 << 30}
	s := open(b, dir, &Options{MaxWaiting: 1 << 30})
	l := openOne(b, s, "bench", limits)
	const n = 1_000_000
	for range n / 10_000 {
		fill(b, l, 10_000)
	}
	s.Close()
	b.ResetTimer()
	for range b.N {
		s := open(b, dir, nil)
		l := openOne(b, s, "bench", limits)
		if got := l.Stats().Messages; got != n {
			b.Fatalf("%d records", got)
		}
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}
