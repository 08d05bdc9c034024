//go:build linux

package torture

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

// errLeft is why a stream ends that its caller leaves.
var errLeft = func() error {
	e := ipc.Errorf(wire.CodeCancelled, "the caller left the stream")
	e.Details.Executed = wire.ExecutedMaybe
	return e
}()

// batch makes several calls at once, which the library sends together.
func (w *worker) batch() {
	n := 2 + w.rand.IntN(12)
	if !w.client.next(n) {
		return
	}
	calls, ids := make([]ipc.BatchCall, n), make([]string, n)
	for i := range calls {
		p, id := w.plan()
		calls[i], ids[i] = ipc.BatchCall{Method: p.method, Args: p.args}, id
		w.client.journal.Write(Event{Kind: Invoke, Call: id, Method: p.method})
	}
	ctx, cancel := w.context("")
	defer cancel()
	outcomes, err := w.shared.client.Load().Batch(ctx, calls)
	for i, id := range ids {
		if err != nil {
			w.client.journal.Write(outcome(id, nil, err))
			continue
		}
		w.client.journal.Write(outcome(id, outcomes[i].Data, outcomes[i].Err))
	}
}

// notify makes a call that is not answered.
func (w *worker) notify() {
	if !w.client.next(1) {
		return
	}
	id := w.client.id()
	w.client.journal.Write(Event{Kind: Invoke, Call: id, Method: "quick", OneWay: true})
	ctx, cancel := w.context("")
	defer cancel()
	w.client.journal.Write(outcome(id, nil, w.shared.client.Load().Notify(ctx, "quick", id)))
}

// receive receives a stream, mostly to its end; that of "echoes" is what it
// sends meanwhile.
func (w *worker) receive() {
	if !w.client.next(1) {
		return
	}
	id, method := w.client.id(), []string{"count", "echoes"}[w.rand.IntN(2)]
	w.client.journal.Write(Event{Kind: Invoke, Call: id, Method: method})
	ctx, cancel := w.context("")
	defer cancel()
	pad := padding(id, w.rand.IntN(20<<10)) // more, together, than there is credit for
	s, err := w.shared.client.Load().Stream(ctx, method, id, w.rand.IntN(6), pad)
	if err != nil {
		w.client.journal.Write(outcome(id, nil, err))
		return
	}
	var sender sync.WaitGroup
	defer sender.Wait()
	defer s.Close() // before that
	if n := w.rand.IntN(40); method == "echoes" {
		sender.Go(func() {
			for i := range n {
				if s.Send(ctx, item{id, i, pad}) != nil {
					return
				}
			}
			s.CloseSend()
		})
	}
	leave := -1
	if w.rand.IntN(8) == 0 {
		leave = 1 + w.rand.IntN(20)
	}
	n, err := w.receiveItems(ctx, s, id, leave)
	e := outcome(id, nil, err)
	if err == io.EOF {
		e = Event{Kind: OK, Call: id, Of: id, N: n}
	}
	w.client.journal.Write(e)
}

// receiveItems receives up to most items, all if that is negative, and
// returns how many there were and why there are no more.
func (w *worker) receiveItems(ctx context.Context, s *ipc.Stream, id string, most int) (n int, err error) {
	for n != most {
		raw, err := s.Recv(ctx)
		if err != nil && err == ctx.Err() {
			return n, errLeft // by whoever stopped waiting for the next item
		}
		if err != nil {
			return n, err
		}
		w.client.journal.Write(itemOf(id, raw))
		n++
	}
	return n, errLeft
}

// itemOf is the record of an item that was received. One of another call has
// a place that no item has.
func itemOf(id string, raw ipc.Raw) Event {
	e := Event{Kind: Item, Call: id, N: -1}
	var in item
	if err := raw.Decode(&in); err != nil {
		e.Note = err.Error()
		return e
	}
	if e.N = in.N; in.Call != id || in.Pad != padding(id, len(in.Pad)) {
		e.N, e.Note = -1, "of "+in.Call
	}
	return e
}

// send streams to the service.
func (w *worker) send() {
	if !w.client.next(1) {
		return
	}
	id := w.client.id()
	w.client.journal.Write(Event{Kind: Invoke, Call: id, Method: "gather"})
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	n := 0
	result, err := w.sendItems(ctx, id, &n)
	e := outcome(id, result, err)
	if err == nil {
		e.N = n
	}
	w.client.journal.Write(e)
}

// sendItems streams items and returns what became of the call. That an item
// was not taken says nothing of the call, whose result does.
func (w *worker) sendItems(ctx context.Context, id string, n *int) (ipc.Raw, error) {
	s, err := w.shared.client.Load().Stream(ctx, "gather", id)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for i := range w.rand.IntN(60) {
		if err := s.Send(ctx, i); err != nil {
			break
		}
		*n++
	}
	if w.rand.IntN(8) == 0 {
		return nil, errLeft
	}
	s.CloseSend()
	result, err := s.Result(ctx)
	if err != nil && err == ctx.Err() {
		err = errLeft
	}
	return result, err
}
