package group

import (
	"fmt"
	"testing"

	"github.com/ekkojs/ipc/store"
)

// BenchmarkTakeAck is what a record costs that is delivered and acknowledged,
// with the log and its cursor in memory.
func BenchmarkTakeAck(b *testing.B) {
	for _, volatile := range []bool{true, false} {
		for _, batch := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("volatile=%v/batch=%d", volatile, batch), func(b *testing.B) {
				benchmarkTakeAck(b, batch, Options{Volatile: volatile})
			})
		}
	}
}

func benchmarkTakeAck(b *testing.B, batch int, o Options) {
	log := newTestLog(b, store.Limits{Messages: 10_000})
	g, err := Open(log, "g", o)
	if err != nil {
		b.Fatal(err)
	}
	m := &Member{}
	g.Join(m)
	var got []Delivery
	var seqs []uint64
	data := make([]byte, 100)
	appended := func(r store.Receipt) { g.Appended(r.Seq) }
	b.ReportAllocs()
	taken := 0
	for b.Loop() {
		if taken == 0 {
			b.StopTimer()
			for range 10_000 {
				log.Append(store.Record{Name: "n", Data: data, Time: 1}, appended)
			}
			taken = 10_000
			b.StartTimer()
		}
		if got, err = g.Take(m, got[:0], batch, 1<<20); err != nil || len(got) != batch {
			b.Fatal(len(got), err)
		}
		seqs = seqs[:0]
		for i := range got {
			seqs = append(seqs, got[i].Seq)
		}
		if unknown := g.Ack(m, seqs); unknown != nil {
			b.Fatal(unknown)
		}
		taken -= batch
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/record")
}

// BenchmarkAppended is what a group costs each publisher whose members have
// enough to do.
func BenchmarkAppended(b *testing.B) {
	log := newTestLog(b, store.Limits{})
	g, _ := Open(log, "g", Options{})
	for range 10 {
		g.Join(&Member{})
	}
	b.ReportAllocs()
	seq := uint64(0)
	for b.Loop() {
		seq++
		g.Appended(seq)
	}
}

// BenchmarkFlush writes a state of 1000 records that are out.
func BenchmarkFlush(b *testing.B) {
	log := newTestLog(b, store.Limits{})
	g, _ := Open(log, "g", Options{})
	for i := range uint64(DefaultMaxPending) {
		g.newEntryLocked(1 + 2*i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}
