package store

import (
	"bytes"
	"maps"
	"slices"

	"github.com/ekkojs/ipc/wire"
)

func (l *memoryLog) Cursor(name string) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.cursors[name])
}

func (l *memoryLog) SetCursor(name string, state []byte) error {
	if len(state) > MaxCursorSize {
		return tooLarge("cursor", int64(len(state)), MaxCursorSize)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return closedError("log")
	}
	if state == nil {
		delete(l.cursors, name)
		return nil
	}
	kept, known := l.cursors[name]
	if !known && len(l.cursors) == MaxCursors {
		err := wire.Errorf(wire.CodeQuotaExceeded, "the log has %d cursors already", MaxCursors)
		err.Details.More = map[string]any{"resource": "cursors", "limit": MaxCursors}
		return err
	}
	if kept == nil {
		kept = []byte{} // an empty state is one
	}
	l.cursors[name] = append(kept[:0], state...)
	return nil
}

func (l *memoryLog) Cursors() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.cursors))
}

// Sync has nothing to wait for: cursors are kept at once.
func (l *memoryLog) Sync() error { return nil }
