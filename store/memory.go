package store

import (
	"sync"

	"github.com/ekkojs/ipc/wire"
)

// NewMemory returns a store that keeps its logs in memory: they are gone when
// the process ends, and each of them as soon as it is closed.
func NewMemory() Store { return &memory{logs: make(map[string]*memoryLog)} }

type memory struct {
	mu sync.Mutex

	// Guarded by mu.
	logs   map[string]*memoryLog
	closed bool
}

func (s *memory) Log(name string, limits Limits) (Log, error) {
	if len(name) == 0 || len(name) > 255 {
		return nil, wire.Errorf(wire.CodeInvalidName, "the name of a log has 1 to 255 bytes, not %d", len(name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, closedError("store")
	}
	l := s.logs[name]
	if l == nil {
		l = newMemoryLog(limits)
		l.forget = func() { s.forget(name, l) }
		s.logs[name] = l
	}
	return l, nil
}

// forget lets the name be opened anew: a closed log has nothing any more.
func (s *memory) forget(name string, l *memoryLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs[name] == l {
		delete(s.logs, name)
	}
}

func (s *memory) Close() error {
	s.mu.Lock()
	s.closed = true
	logs := make([]*memoryLog, 0, len(s.logs))
	for _, l := range s.logs {
		logs = append(logs, l)
	}
	s.mu.Unlock()
	for _, l := range logs {
		l.Close()
	}
	return nil
}

// closedError says that nothing was done because what is closed: it is safe
// to say so, unlike what the code allows for.
func closedError(what string) *wire.Error {
	err := wire.Errorf(wire.CodeStorageUnavailable, "the %s is closed", what)
	err.Details.Executed = wire.ExecutedNo
	return err
}
