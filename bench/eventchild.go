package main

import (
	"errors"
	"fmt"
)

// eventChild is the state of a child of a peer that carries events.
type eventChild struct {
	peer      *eventPeer
	dir, addr string
	usage     func() usage
	pacer     pacer // of the publisher
	ears      ears  // of the subscribers
	profile   profile
}

func (c *eventChild) start(role, dir string) (a answer, err error) {
	if a.Version = versionOf(c.peer.module); c.peer.version != nil {
		a.Version = c.peer.version()
	}
	switch role {
	case roleRelay:
		a.Addr, err = c.peer.broker(dir)
		if more := c.peer.brokerUsage; more != nil {
			c.usage = func() usage { return usageNow().plus(more()) }
		}
	case rolePublish:
		c.pacer.tick, c.pacer.patience = newTick(), eventPatience
		c.pacer.to, a.Addr, err = c.peer.publish(dir, c.addr)
	case roleHear:
	default:
		err = fmt.Errorf("no role is called %q", role)
	}
	return a, err
}

func (c *eventChild) obey(o order) (a answer, err error) {
	switch o.Do {
	case "subscribe":
		err = c.ears.open(c.peer, c.dir, c.addr, o.Conns)
	case "publish", "single":
		a.Heard, err = c.publish(o)
	case "delays":
		a.Load, err = c.ears.delays()
	case "profile":
		err = c.profile.to(o.Path)
	case "usage":
	default:
		err = fmt.Errorf("no order is called %q", o.Do)
	}
	a.Usage = c.usage()
	return a, err
}

func (c *eventChild) publish(o order) (h *heard, err error) {
	if c.pacer.to == nil {
		return nil, errors.New("this is no publisher")
	}
	if c.pacer.places == nil {
		if c.pacer.places, err = shareMemory(progressFile(c.dir), o.Conns); err != nil {
			return nil, err
		}
	}
	run := c.pacer.run
	if o.Do == "single" {
		run = c.pacer.single
	}
	result, err := run(o.For)
	return &result, err
}
