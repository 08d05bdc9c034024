package script

import (
	"context"
	"sync"
)

// settlements are the events that the app has, or is about to get, and has to
// acknowledge. There are as many as their subscriptions have credit for.
type settlements struct {
	mu   sync.Mutex // guards all below
	last uint64
	open map[uint64]unsettled
}

// unsettled is an event of a subscription that nothing was said of yet.
type unsettled struct {
	subscription *settling
	settle       func(ctx context.Context, s Settlement) error
}

// settling are the settlements of one subscription that are on their way.
type settling struct{ sync.WaitGroup }

// add returns the number under which the app settles an event.
func (s *settlements) add(subscription *settling, settle func(ctx context.Context, s Settlement) error) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[uint64]unsettled{}
	}
	s.last++
	s.open[s.last] = unsettled{subscription, settle}
	return s.last
}

// take returns an event that is to be settled now. Its subscription is not
// closed before it is. ok is false if that has ended.
func (s *settlements) take(id uint64) (u unsettled, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u, ok = s.open[id]; ok {
		delete(s.open, id)
		u.subscription.Add(1)
	}
	return u, ok
}

// end waits for what is on its way, and drops what a subscription has left: it
// comes again, to whoever it may.
func (s *settlements) end(subscription *settling) {
	subscription.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.open {
		if u.subscription == subscription {
			delete(s.open, id)
		}
	}
}

// opSettle acknowledges an event, or gives it back.
func (a *app) opSettle(op *operation) {
	call, event := op.id(), op.id()
	var what Settlement
	op.json(&what)
	u, ok := a.settlements.take(event)
	if !ok {
		a.answer(call, nil, nil)
		return
	}
	a.workers.Go(func() {
		defer u.subscription.Done()
		ctx, cancel := a.deadline("")
		defer cancel()
		a.answer(call, nil, u.settle(ctx, what))
	})
}

// answer tells the app what came of what it asked for under a number.
func (a *app) answer(call uint64, result []byte, err error) {
	a.inbox.put(func(dst []byte) []byte {
		if err != nil {
			return appendError(appendHead(dst, "failure", call), err)
		}
		return appendData(appendHead(dst, "result", call), result)
	})
}
