package disk

import (
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// Store is a directory of logs. It implements store.Store.
type Store struct {
	dir     string
	options Options
	lock    io.Closer

	mu     sync.Mutex // guards what follows; no log's lock is held with it
	logs   map[string]*entry
	closed bool
}

// entry is a log, or one that is being opened.
type entry struct {
	ready chan struct{} // closed when the rest is set
	log   *Log
	err   error
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Log   = (*Log)(nil)
)

// Open opens the logs in a directory, and makes it if there is none; no other
// process can meanwhile. The error is a *wire.Error: PERMISSION_DENIED when
// others could write there, STORAGE_UNAVAILABLE when another process has it
// open.
func Open(dir string, o *Options) (*Store, error) {
	s := &Store{options: o.withDefaults(), logs: map[string]*entry{}}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault("opening "+dir, err)
	}
	s.dir = dir
	if err := s.options.fs.place(dir, true); err != nil {
		return nil, fault("the directory for logs", err)
	}
	s.lock, err = s.options.fs.lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fault("locking the logs", err)
	}
	return s, nil
}

// Log opens a log; see store.Store. After a log has been closed by itself it
// is opened anew.
func (s *Store) Log(name string, limits store.Limits) (store.Log, error) {
	if name == "" || len(name) > 255 {
		return nil, wire.Errorf(wire.CodeInvalidName, "a log's name has 1 to 255 bytes, not %d", len(name))
	}
	for {
		e, mine, err := s.entry(name)
		if err != nil {
			return nil, err
		}
		if mine {
			e.log, e.err = openLog(s, name, limits)
			if e.err != nil {
				s.forget(name, e)
			}
			close(e.ready)
		}
		<-e.ready
		if e.err != nil {
			return nil, e.err
		}
		if mine || !e.log.isClosed() {
			return e.log, nil
		}
		e.log.Close() // wait for it
		s.forget(name, e)
	}
}

// entry returns the log of that name, and whether the caller has to open it.
func (s *Store) entry(name string) (e *entry, mine bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, unavailable(wire.ExecutedNo, "the store is closed")
	}
	if e, found := s.logs[name]; found {
		return e, false, nil
	}
	e = &entry{ready: make(chan struct{})}
	s.logs[name] = e
	return e, true, nil
}

func (s *Store) forget(name string, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs[name] == e {
		delete(s.logs, name)
	}
}

// Close closes every log and gives the directory back.
func (s *Store) Close() error {
	s.mu.Lock()
	logs := slices.Collect(maps.Values(s.logs))
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	var err error
	for _, e := range logs {
		<-e.ready
		if e.err == nil {
			err = errors.Join(err, e.log.Close())
		}
	}
	if first {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}
