package storetest

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

var closeFacts = []fact{
	{name: "close waits for what was appended", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		var done atomic.Int32
		for range 100 {
			l.Append(store.Record{Name: "n"}, func(r store.Receipt) {
				if r.Err == nil {
					done.Add(1)
				}
			})
		}
		if err := l.Close(); err != nil || done.Load() != 100 {
			t.Fatalf("%d of 100 are done, %v", done.Load(), err)
		}
	}},
	{name: "close waits for a done that runs", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		var finished atomic.Bool
		started := make(chan struct{})
		concurrently(2, func(g int) {
			if g == 0 {
				l.Append(store.Record{Name: "n"}, func(store.Receipt) {
					close(started)
					for range 1000 {
						runtime.Gosched()
					}
					finished.Store(true)
				})
				return
			}
			<-started
			if err := l.Close(); err != nil || !finished.Load() {
				t.Errorf("closed, done has finished: %v, %v", finished.Load(), err)
			}
		})
	}},
	{name: "a closed log is unavailable", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(3)
		for range 2 {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			fails(t, l.append(numbered(4)).Err, wire.CodeStorageUnavailable)
			_, err := l.Read(nil, 1, 10, 10)
			fails(t, err, wire.CodeStorageUnavailable)
		}
		epoch := l.Epoch()
		l.Discard(2)
		l.Bounds()
		l.Stats()
		if l.Epoch() != epoch {
			t.Fatal("the epoch changed")
		}
	}},
	{name: "a closed store is unavailable", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		s := p.store
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := s.Log("a", store.Limits{})
			fails(t, err, wire.CodeStorageUnavailable)
			fails(t, l.append(numbered(1)).Err, wire.CodeStorageUnavailable)
		}
	}},
	{name: "a log can be opened again in the same store", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		p.log("a", store.Limits{}).fill(3)
	}},
	{name: "every append is answered though it is closed meanwhile", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		var kept, refused atomic.Int32
		concurrently(5, func(g int) {
			if g == 0 {
				for kept.Load() < 10 {
					l.append(numbered(1)) // lets others go on meanwhile
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			for range 200 {
				if r := l.append(numbered(1)); r.Err == nil {
					kept.Add(1)
				} else if refused.Add(1); wire.CodeOf(r.Err) != wire.CodeStorageUnavailable {
					t.Error(r.Err)
				}
			}
		})
		if n := kept.Load() + refused.Load(); n != 800 {
			t.Fatalf("%d answers to 800 appends", n)
		}
	}},
}
