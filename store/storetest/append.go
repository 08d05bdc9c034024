package storetest

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

var appendFacts = []fact{
	{name: "an empty log begins at 1", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		if first, next := l.Bounds(); first != 1 || next != 1 {
			t.Fatalf("bounds %d, %d", first, next)
		}
		if l.Epoch() == "" {
			t.Fatal("no epoch")
		}
		if len(l.read(0)) != 0 || len(l.Losses()) != 0 || l.Stats().Messages != 0 {
			t.Fatal("not empty")
		}
	}},
	{name: "sequence numbers have no holes", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(500)
		l.holds(1, 500)
	}},
	{name: "a record comes back whole", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		want := store.Record{
			Time: 1234567890123, ID: "id", Name: "order.paid", Data: []byte(`{"a":1}`), Group: "billing",
			Dead: &store.Dead{Seq: 7, Epoch: "e", Group: "g", Deliveries: 5, Reason: "timed out"},
		}
		want.Seq = l.keep(want)
		sameRecord(t, l.read(0)[0], want)
	}},
	{name: "a record may be almost empty", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.keep(store.Record{Name: "n", Time: 1})
		sameRecord(t, l.read(0)[0], store.Record{Seq: 1, Name: "n", Time: 1})
	}},
	{name: "names and IDs may be as long as allowed", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		r := store.Record{Time: 1, Name: strings.Repeat("n", 255), ID: strings.Repeat("i", store.MaxIDSize), Group: strings.Repeat("g", 255)}
		r.Seq = l.keep(r)
		sameRecord(t, l.read(0)[0], r)
	}},
	{name: "an ID that is too long is refused", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		fails(t, l.append(store.Record{Name: "n", ID: strings.Repeat("i", store.MaxIDSize+1)}).Err, wire.CodeMessageTooLarge)
		l.fill(1)
	}},
	{name: "a record larger than the log is refused", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Bytes: 64 << 10})
		fails(t, l.append(store.Record{Name: "n", Data: make([]byte, 65<<10)}).Err, wire.CodeMessageTooLarge)
		l.fill(1)
		l.holds(1, 1)
	}},
	{name: "large records come back", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		for i := range 4 {
			data := bytes.Repeat([]byte{byte('0' + i)}, 1<<20)
			seq := l.keep(store.Record{Name: "n", Data: data})
			if got := l.read(seq); len(got) != 1 || !bytes.Equal(got[0].Data, data) {
				t.Fatalf("record %d came back otherwise", seq)
			}
		}
	}},
	{name: "the time is filled in", clock: true, check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		now := time.Now().UnixMilli()
		l.keep(store.Record{Name: "n"})
		l.keep(store.Record{Name: "n", Time: 5})
		if got := l.read(0); got[0].Time != now || got[1].Time != 5 {
			t.Fatalf("times %d and %d, want %d and 5", got[0].Time, got[1].Time, now)
		}
	}},
	{name: "the caller may use its bytes again", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		data, done := []byte("before"), make(chan store.Receipt, 1)
		dead := &store.Dead{Reason: "before"}
		l.Append(store.Record{Name: "n", Data: data, Dead: dead}, func(r store.Receipt) { done <- r })
		copy(data, "after ")
		dead.Reason = "after"
		<-done
		if got := l.read(0)[0]; string(got.Data) != "before" || got.Dead.Reason != "before" {
			t.Fatalf("kept %q, %q", got.Data, got.Dead.Reason)
		}
	}},
	{name: "done comes in order, one at a time, without locks", check: checkDone},
	{name: "done may append", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		done := make(chan uint64, 10)
		var again func(r store.Receipt)
		again = func(r store.Receipt) {
			if done <- r.Seq; r.Seq < 10 {
				l.Append(numbered(r.Seq+1), again)
			}
		}
		l.Append(numbered(1), again)
		for i := range uint64(10) {
			if seq := <-done; seq != i+1 {
				t.Fatalf("done of %d, want %d", seq, i+1)
			}
		}
		l.holds(1, 10)
	}},
	{name: "records of one goroutine stay in order", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		concurrently(8, func(g int) {
			for i := range 100 {
				l.Append(store.Record{Name: fmt.Sprint(g), Data: []byte(fmt.Sprint(i))}, func(store.Receipt) {})
			}
		})
		l.keep(store.Record{Name: "last"})
		next := map[string]int{}
		for _, r := range l.read(0) {
			if r.Name != "last" && string(r.Data) != fmt.Sprint(next[r.Name]) {
				t.Fatalf("of %s came %s, want %d", r.Name, r.Data, next[r.Name])
			}
			next[r.Name]++
		}
	}},
}

func checkDone(t *testing.T, p *place) {
	l := p.log("a", store.Limits{})
	const goroutines, each = 8, 200
	var (
		running, last, wrong int // by the promise no lock is needed
		all                  sync.WaitGroup
	)
	all.Add(goroutines * each)
	done := func(r store.Receipt) {
		defer all.Done()
		if running++; running != 1 || r.Err != nil || int(r.Seq) != last+1 {
			wrong++
		}
		last = int(r.Seq)
		if records, err := l.Read(nil, r.Seq, 1, 1); err != nil || len(records) != 1 {
			wrong++ // a record can be read by the time its done is called
		}
		runtime.Gosched() // let others try to be there at the same time
		running--
	}
	concurrently(goroutines, func(int) {
		for range each {
			l.Append(store.Record{Name: "n"}, done)
		}
	})
	all.Wait()
	if wrong != 0 || last != goroutines*each {
		t.Fatalf("%d calls of done were wrong, the last was for %d", wrong, last)
	}
}

// concurrently runs f on n goroutines and waits for them.
func concurrently(n int, f func(g int)) {
	var all sync.WaitGroup
	for g := range n {
		all.Go(func() { f(g) })
	}
	all.Wait()
}

func sameRecord(t *testing.T, got, want store.Record) {
	t.Helper()
	if (got.Dead == nil) != (want.Dead == nil) || got.Dead != nil && *got.Dead != *want.Dead {
		t.Fatalf("dead %+v, want %+v", got.Dead, want.Dead)
	}
	got.Dead, want.Dead = nil, nil
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Fatalf("record\n%+v, want\n%+v", got, want)
	}
}
