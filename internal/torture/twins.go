//go:build linux

package torture

import (
	"sync"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

// twins makes one call over all the connections at once, under one key, as a
// program does that was started again before it knew what became of its call.
// They are one call in the history, whose outcome is what the luckiest of them
// was told.
func (w *worker) twins() {
	if !w.client.next(1) {
		return
	}
	id := w.client.id()
	w.client.journal.Write(Event{Kind: Invoke, Call: id, Method: "repeatable", Retry: true})
	ms := float64(w.rand.IntN(6))
	told := make([]Event, len(w.client.shared))
	var calls sync.WaitGroup
	for i, c := range w.client.shared {
		ctx, cancel := w.context("")
		calls.Go(func() {
			defer cancel()
			result, err := c.client.Load().Call(ipc.WithIdempotencyKey(ctx, id), "repeatable", id, ms)
			told[i] = outcome(id, result, err)
		})
	}
	calls.Wait()
	best := told[0]
	for _, e := range told {
		if luck(e) > luck(best) {
			best = e
		}
	}
	w.client.journal.Write(best)
}

// luck says how much an outcome knows of an execution.
func luck(e Event) int {
	switch {
	case e.Kind == OK:
		return 3
	case e.Executed == wire.ExecutedYes:
		return 2
	case e.Executed == wire.ExecutedMaybe:
		return 1
	}
	return 0
}
