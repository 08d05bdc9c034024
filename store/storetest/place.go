package storetest

import (
	"fmt"
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// place is where one fact is checked: a directory with at most one store
// open on it.
type place struct {
	t     *testing.T
	dir   string
	open  Open
	store store.Store
}

// close closes the store, if there is one.
func (p *place) close() {
	if p.store == nil {
		return
	}
	if err := p.store.Close(); err != nil {
		p.t.Errorf("close: %v", err)
	}
	p.store = nil
}

// log opens a log, and the store if need be.
func (p *place) log(name string, limits store.Limits) *log {
	p.t.Helper()
	if p.store == nil {
		p.store = p.open(p.t, p.dir)
	}
	l, err := p.store.Log(name, limits)
	if err != nil {
		p.t.Fatalf("open log %q: %v", name, err)
	}
	return &log{Log: l, t: p.t}
}

// log is a store.Log that fails its test.
type log struct {
	store.Log
	t *testing.T
}

// append waits until r is kept or not.
func (l *log) append(r store.Record) store.Receipt {
	c := make(chan store.Receipt, 1)
	l.Append(r, func(receipt store.Receipt) { c <- receipt })
	return <-c
}

// keep appends r, which has to be kept.
func (l *log) keep(r store.Record) uint64 {
	l.t.Helper()
	receipt := l.append(r)
	if receipt.Err != nil || receipt.Duplicate || receipt.Seq == 0 {
		l.t.Fatalf("append: %+v", receipt)
	}
	return receipt.Seq
}

// fill keeps n records whose data is their sequence number.
func (l *log) fill(n int) {
	l.t.Helper()
	_, next := l.Bounds()
	for i := range uint64(n) {
		if seq := l.keep(numbered(next + i)); seq != next+i {
			l.t.Fatalf("record %d got the sequence number %d", next+i, seq)
		}
	}
}

func numbered(seq uint64) store.Record {
	return store.Record{Name: "n", Data: []byte(fmt.Sprint(seq))}
}

// read returns everything from a sequence number on.
func (l *log) read(from uint64) []store.Record {
	l.t.Helper()
	records, err := l.Read(nil, from, 1<<20, 1<<30)
	if err != nil {
		l.t.Fatalf("read from %d: %v", from, err)
	}
	return records
}

// holds checks that exactly the records first to last can be read, each as
// fill wrote it.
func (l *log) holds(first, last uint64) {
	l.t.Helper()
	if f, next := l.Bounds(); f != first || next != last+1 {
		l.t.Fatalf("bounds %d to %d, want %d to %d", f, next, first, last+1)
	}
	records := l.read(0)
	if uint64(len(records)) != last+1-first {
		l.t.Fatalf("%d records, want %d to %d", len(records), first, last)
	}
	for i, r := range records {
		if r.Seq != first+uint64(i) || string(r.Data) != fmt.Sprint(r.Seq) {
			l.t.Fatalf("record %d of %d to %d: %+v", i, first, last, r)
		}
	}
	if n := l.Stats().Messages; n != int64(len(records)) {
		l.t.Fatalf("%d messages counted of %d", n, len(records))
	}
}

// fails checks that err has that code and is a *wire.Error.
func fails(t *testing.T, err error, code wire.Code) {
	t.Helper()
	if _, ok := err.(*wire.Error); !ok || wire.CodeOf(err) != code {
		t.Fatalf("error %v of type %T, want %s", err, err, code)
	}
}
