package script

import (
	"context"
	"errors"
)

// opPublish publishes an event: to a service, or as a service of the app.
func (a *app) opPublish(op *operation) {
	kind, id, event, data := op.text(), op.id(), op.name(), op.data()
	if kind == "service" {
		// Nobody can be listening to a service that has ended.
		if s := a.services[id]; s != nil {
			if err := s.publish(a.life, event, data); err != nil {
				a.refused("the subscribers of "+s.name, "publishing "+event, err)
			}
		}
		return
	}
	l := a.links[id]
	l.do(func() {
		c, err := l.connect(a.life)
		if err == nil {
			err = c.Publish(a.life, event, data)
			l.soil()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			l.refused("publishing "+event, err)
		}
	})
}

// opConfirm publishes an event whose receipt the app waits for. One is on its
// way at a time, so that their order is that of the app; but nothing else waits
// for a disk.
func (a *app) opConfirm(op *operation) {
	call, kind, source, event, id, data := op.id(), op.text(), op.id(), op.name(), op.name(), op.data()
	publish := func(f func(ctx context.Context, event string, data []byte, id string) ([]byte, error)) {
		ctx, cancel := a.deadline("")
		defer cancel()
		receipt, err := f(ctx, event, data, id)
		a.answer(call, receipt, err)
	}
	if kind == "service" {
		s := a.services[source]
		if s == nil {
			a.answer(call, nil, errNotServing)
			return
		}
		s.kept.do(&a.workers, func() { publish(s.publishWith) })
		return
	}
	l := a.links[source]
	l.do(func() {
		c := l.connection(a.life)
		if c.err != nil {
			a.answer(call, nil, c.err)
			return
		}
		l.kept.do(&a.workers, func() { publish(c.client.PublishWith) })
	})
}

// opWill leaves an event with a service, after the will that was left before.
func (a *app) opWill(op *operation) {
	call, l, event, data := op.id(), a.links[op.id()], op.name(), op.data()
	l.do(func() {
		c := l.connection(a.life)
		if c.err != nil {
			a.answer(call, nil, c.err)
			return
		}
		l.kept.do(&a.workers, func() {
			ctx, cancel := a.deadline("")
			defer cancel()
			a.answer(call, nil, c.client.SetWill(ctx, event, data))
		})
	})
}
