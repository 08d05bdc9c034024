package script

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/ekkojs/ipc"
)

// service is one that the app serves.
type service struct {
	name string
	kept chain // what is published with a receipt

	mu      sync.Mutex // guards all below
	service Service    // nil until it is made
	closing bool
}

var errNotServing = ipc.Errorf(ipc.CodeServiceUnavailable, "the service is not serving")

// opServe begins to serve.
func (a *app) opServe(op *operation) {
	id := op.id()
	var spec ServiceSpec
	op.json(&spec)
	s := &service{name: spec.Name}
	a.services[id] = s
	a.serving.Add(1)
	spec.Handle = func(ctx context.Context, r *Request) ([]byte, error) { return a.handle(ctx, id, r) }
	a.workers.Go(func() {
		err := a.serve(id, s, &spec)
		a.inbox.put(func(dst []byte) []byte { return appendError(appendHead(dst, "served", id), err) })
		a.serving.Add(-1)
		a.look()
	})
}

// serve makes the service and serves until it is shut down.
func (a *app) serve(id uint64, s *service, spec *ServiceSpec) error {
	made, err := a.NewService(a.life, spec)
	if err != nil {
		return err
	}
	if !s.made(made) {
		return nil // closed already
	}
	return made.Serve(a.life, func(addresses []string, manifest []byte) {
		a.inbox.put(func(dst []byte) []byte {
			return appendValue(append(appendHead(dst, "serving", id), ','), map[string]any{
				"addresses": addresses, "manifest": json.RawMessage(manifest),
			})
		})
	})
}

// made notes that the service can be used now. It reports whether it is to be.
func (s *service) made(made Service) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.service = made
	return !s.closing
}

// get returns what serves; nil before, and after the app has forgotten s.
func (s *service) get() Service {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.service
}

func (s *service) publish(ctx context.Context, event string, data []byte) error {
	if made := s.get(); made != nil {
		return made.Publish(ctx, event, data)
	}
	return errNotServing
}

func (s *service) publishWith(ctx context.Context, event string, data []byte, id string) ([]byte, error) {
	if made := s.get(); made != nil {
		return made.PublishWith(ctx, event, data, id)
	}
	return nil, errNotServing
}

func (s *service) subscribe(ctx context.Context, pattern string, opts SubscribeOptions) (Subscription, error) {
	if made := s.get(); made != nil {
		return made.Subscribe(ctx, pattern, opts)
	}
	return nil, errNotServing
}

func (a *app) opShutdown(op *operation) {
	if s := a.services[op.id()]; s != nil {
		a.shutdown(s)
	}
}

// opForget is told of a service that has ended.
func (a *app) opForget(op *operation) { delete(a.services, op.id()) }

// shutdown has a service end in good order. The loop goes on meanwhile, for
// the requests that run.
func (a *app) shutdown(s *service) {
	s.mu.Lock()
	first, made := !s.closing, s.service
	s.closing = true
	s.mu.Unlock()
	if !first || made == nil {
		return
	}
	a.workers.Go(func() {
		ctx, cancel := context.WithTimeout(a.life, drainTimeout)
		defer cancel()
		made.Shutdown(ctx) // what is not through by then is cut off
	})
}

// requests are those that the app is answering.
type requests struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan<- outcome
}

// outcome is what a handler has come to, or an item of its answer.
type outcome struct {
	data []byte
	err  error
	item bool
}

func (r *requests) add() (id uint64, done <-chan outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = map[uint64]chan<- outcome{}
	}
	answer := make(chan outcome, itemWindow+1) // the prelude keeps to that
	r.last++
	r.waiting[r.last] = answer
	return r.last, answer
}

// remove returns where the outcome is waited for; nil if nobody does any more.
func (r *requests) remove(id uint64) chan<- outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := r.waiting[id]
	delete(r.waiting, id)
	return done
}

// find returns where the outcome is waited for; nil if nobody does any more.
func (r *requests) find(id uint64) chan<- outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting[id]
}

// handle has the app answer one request.
func (a *app) handle(ctx context.Context, service uint64, r *Request) ([]byte, error) {
	id, done := a.requests.add()
	err := a.inbox.offer(ctx, func(dst []byte) []byte {
		dst = appendHead(dst, "request", id)
		dst = appendNumber(append(dst, ','), service)
		dst = appendText(append(dst, ','), r.Method)
		dst = append(append(dst, ','), r.Args...)
		dst = append(append(dst, ','), r.Caller...)
		dst = appendValue(append(dst, ','), untilMilliseconds(ctx))
		return appendValue(append(dst, ','), r.Send != nil)
	})
	if err != nil {
		a.requests.remove(id)
		return nil, err
	}
	for {
		select {
		case o := <-done:
			if !o.item {
				return o.data, o.err
			}
			if err := a.deliver(ctx, id, r, o.data); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			a.giveUp(id, context.Cause(ctx))
			return nil, ctx.Err()
		case <-a.life.Done():
			a.requests.remove(id)
			return nil, errGone
		}
	}
}

// deliver sends an item to the caller, and tells the app that there is room
// for another, or that it need not go on.
func (a *app) deliver(ctx context.Context, id uint64, r *Request, item []byte) error {
	if r.Send == nil {
		return errNoStream
	}
	if err := r.Send(ctx, item); err != nil {
		a.giveUp(id, err)
		return err
	}
	a.inbox.put(func(dst []byte) []byte { return appendHead(dst, "sent", id) })
	return nil
}

// giveUp tells the app that nobody waits for a request any more.
func (a *app) giveUp(id uint64, why error) {
	a.requests.remove(id)
	a.inbox.put(func(dst []byte) []byte { return appendError(appendHead(dst, "cancelled", id), why) })
}

// untilMilliseconds is when ctx ends, as JavaScript counts time; 0 if it does
// not end by itself.
func untilMilliseconds(ctx context.Context) int64 {
	if end, ok := ctx.Deadline(); ok {
		return end.UnixMilli()
	}
	return 0
}

var errNoStream = errors.New("the method does not stream")

var errGone = errors.New("the app has ended")

// opYield takes an item of an answer.
func (a *app) opYield(op *operation) {
	id, item := op.id(), op.data()
	if items := a.requests.find(id); items != nil {
		items <- outcome{data: item, item: true}
	}
}

func (a *app) opAnswer(op *operation) {
	if done := a.requests.remove(op.id()); done != nil {
		done <- outcome{data: op.data()}
	}
}

func (a *app) opRefuse(op *operation) {
	if done := a.requests.remove(op.id()); done != nil {
		done <- outcome{err: decodeRefusal(op.text())}
	}
}
