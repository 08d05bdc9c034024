package main

import (
	"sync"

	"github.com/ekkojs/ipc/store"
)

// ofStore is the peer for a store of ours, which the publishers' process opens
// itself.
func ofStore(name string, open func(dir string) (store.Store, error)) *durablePeer {
	return &durablePeer{
		name:    name,
		program: "ipc",
		open: func(dir, _ string) (keeper, error) {
			s, err := open(dir)
			if err != nil {
				return nil, err
			}
			l, err := s.Log("bench", store.Limits{})
			return storeKeeper{l}, err
		},
	}
}

// storeKeeper waits for each record until its log is certain of it.
type storeKeeper struct{ log store.Log }

var receipts = sync.Pool{New: func() any { return make(chan store.Receipt, 1) }}

func (k storeKeeper) keep(data []byte) error {
	done := receipts.Get().(chan store.Receipt)
	k.log.Append(store.Record{Name: tickName, Data: data}, func(r store.Receipt) { done <- r })
	r := <-done
	receipts.Put(done)
	return r.Err
}
