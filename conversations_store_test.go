package ipc_test

import (
	"slices"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// ailing is a store on a disk of which something is wrong.
type ailing struct {
	store.Store
	fault fault
}

type fault int

const (
	refuses    fault = iota // it takes no record
	unreadable              // it gives none back
	loses                   // it has lost the records 2 and 3
)

func (a ailing) Log(name string, limits store.Limits) (store.Log, error) {
	l, err := a.Store.Log(name, limits)
	return ailingLog{l, a.fault}, err
}

type ailingLog struct {
	store.Log
	fault fault
}

var errDisk = ipc.Errorf(wire.CodeStorageUnavailable, "the disk has failed")

func (l ailingLog) Append(r store.Record, done func(store.Receipt)) {
	if l.fault == refuses {
		done(store.Receipt{Err: errDisk})
		return
	}
	l.Log.Append(r, done)
}

func (l ailingLog) Read(dst []store.Record, from uint64, max, maxBytes int) ([]store.Record, error) {
	if l.fault == unreadable {
		return dst, errDisk
	}
	dst, err := l.Log.Read(dst, from, max, maxBytes)
	if l.fault == loses {
		dst = slices.DeleteFunc(dst, func(r store.Record) bool { return r.Seq == 2 || r.Seq == 3 })
	}
	return dst, err
}

func (l ailingLog) Losses() []store.Loss {
	if l.fault == loses {
		return []store.Loss{{From: 2, To: 3, Reason: "a sector that cannot be read"}}
	}
	return l.Log.Losses()
}
