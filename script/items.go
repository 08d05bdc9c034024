package script

import (
	"context"
	"io"
	"sync"
)

// itemWindow is how many items of a stream may be on their way to the app that
// its loop has not taken. The prelude knows the same number.
const itemWindow = 32

// streams are the streams that the app reads, each with the room that the
// app's loop has left for its items.
type streams struct {
	mu   sync.Mutex
	room map[uint64]chan struct{} // holds a token for each item that may come
}

func (s *streams) add(id uint64) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room == nil {
		s.room = map[uint64]chan struct{}{}
	}
	room := make(chan struct{}, itemWindow)
	s.room[id] = room
	s.grantLocked(id, itemWindow)
	return room
}

func (s *streams) remove(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.room, id)
}

// grant makes room for n more items. The stream may have ended meanwhile.
func (s *streams) grant(id, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grantLocked(id, n)
}

func (s *streams) grantLocked(id, n uint64) {
	for range n {
		select {
		case s.room[id] <- struct{}{}:
		default: // as much as there is at all, or ended
			return
		}
	}
}

// opStream calls a method that streams to the app.
func (a *app) opStream(op *operation) {
	id, l, timeout := op.id(), a.links[op.id()], op.text()
	method, data := op.name(), op.data()
	ctx, cancel := a.deadline(timeout)
	a.calls.add(id, cancel)
	room := a.streams.add(id)
	turn, entering := make(chan connection, 1), make(chan struct{})
	l.do(func() {
		turn <- l.connection(a.life)
		<-entering
	})
	a.workers.Go(func() {
		defer a.calls.remove(id)
		defer a.streams.remove(id)
		_, err := atItsTurn(ctx, turn, entering, func(c Client) ([]byte, error) {
			return nil, a.pour(ctx, id, room, c, method, data)
		})
		a.inbox.put(func(dst []byte) []byte { return appendError(appendHead(dst, "end", id), err) })
	})
}

func (a *app) opGrant(op *operation) { a.streams.grant(op.id(), op.id()) }

// pour moves the items of a stream to the app until it ends, and no faster
// than the app makes room for them.
func (a *app) pour(ctx context.Context, id uint64, room <-chan struct{}, c Client, method string, data []byte) error {
	stream, err := c.Stream(ctx, method, data)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		item, err := stream.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
		a.inbox.put(func(dst []byte) []byte { return appendData(appendHead(dst, "item", id), item) })
	}
}
