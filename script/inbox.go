package script

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
)

// inboxLimit is how many bytes of events and requests may wait for the app.
// Answers to its calls come on top: the app asked for them.
const inboxLimit = 4 << 20

// inbox collects what goroutines have for the app, as the elements of one
// JSON array. The loop takes all of it at once.
type inbox struct {
	ready chan struct{} // holds a token when there is something

	mu   sync.Mutex // guards all below
	text []byte
	room chan struct{} // closed when the inbox is emptied; nil when nobody waits
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

// put adds one message, which write appends without its brackets.
func (b *inbox) put(write func(dst []byte) []byte) {
	b.mu.Lock()
	b.putLocked(write)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

func (b *inbox) putLocked(write func(dst []byte) []byte) {
	if len(b.text) > 0 {
		b.text = append(b.text, ',')
	}
	b.text = append(b.text, '[')
	b.text = append(write(b.text), ']')
}

// offer is put for what the app did not ask for: it waits while the app is
// too far behind, and returns an error if ctx ends before there is room.
func (b *inbox) offer(ctx context.Context, write func(dst []byte) []byte) error {
	for {
		b.mu.Lock()
		if len(b.text) < inboxLimit {
			b.putLocked(write)
			b.mu.Unlock()
			break
		}
		if b.room == nil {
			b.room = make(chan struct{})
		}
		room := b.room
		b.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return nil
}

// take empties the inbox. The text is "" or a JSON array of messages.
func (b *inbox) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.text) == 0 {
		return ""
	}
	text := "[" + string(b.text) + "]"
	if cap(b.text) > 1<<20 {
		b.text = nil
	}
	b.text = b.text[:0]
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
	return text
}

func (b *inbox) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.text) == 0
}

// The parts of messages.

// appendHead appends the kind of a message and the number it is about.
func appendHead(dst []byte, kind string, id uint64) []byte {
	dst = append(dst, '"')
	dst = append(dst, kind...)
	dst = append(dst, `",`...)
	return strconv.AppendUint(dst, id, 10)
}

// appendData appends a further element, if there is one.
func appendData(dst []byte, data []byte) []byte {
	if len(data) == 0 {
		return dst
	}
	dst = append(dst, ',')
	return append(dst, data...)
}

// appendText appends s as JSON.
func appendText(dst []byte, s string) []byte {
	return appendValue(dst, s)
}

func appendNumber(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

// appendValue appends v as JSON. Only what always can be is given to it.
func appendValue(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("script: a message is not JSON: " + err.Error())
	}
	return append(dst, text...)
}
