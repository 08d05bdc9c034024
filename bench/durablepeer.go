package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A durablePeer is one way of keeping what is published, so that no power cut
// takes it away.
type durablePeer struct {
	name    string
	program string // as a peer's
	module  string // likewise
	// vault starts, in a process of its own, what keeps things in dir, and
	// returns its address; nil if the publishers' process does it itself.
	vault func(dir string) (addr string, err error)
	// open returns what takes things to be kept.
	open func(dir, addr string) (keeper, error)
}

// A keeper is used by many goroutines at once.
type keeper interface {
	// keep returns when data is safe on the medium.
	keep(data []byte) error
}

// A bareKeeper has nobody to serve: for n publishers it is given n pieces at
// once, one after the other.
type bareKeeper interface{ keepAll(pieces [][]byte) error }

// durableOrder is the order of the report.
var durableOrder = []string{"fdatasync", "ipc-store", "ipc", "nats-jetstream"}

// durablePeers are those linked into this program, as peers are.
var durablePeers []*durablePeer

func registerDurable(p *durablePeer) {
	durablePeers = append(durablePeers, p)
	slices.SortFunc(durablePeers, func(a, b *durablePeer) int {
		return cmp.Compare(slices.Index(durableOrder, a.name), slices.Index(durableOrder, b.name))
	})
}

func durablePeerNamed(name string) *durablePeer {
	if i := slices.IndexFunc(durablePeers, func(p *durablePeer) bool { return p.name == name }); i >= 0 {
		return durablePeers[i]
	}
	return nil
}

// durableChild is the state of a child of such a peer.
type durableChild struct {
	peer    *durablePeer
	addr    string
	usage   func() usage
	keeper  keeper
	profile profile
}

func (c *durableChild) start(role, dir string) (a answer, err error) {
	a.Version = versionOf(c.peer.module)
	switch role {
	case roleVault:
		a.Addr, err = c.peer.vault(dir)
	case roleKeep:
		c.keeper, err = c.peer.open(dir, c.addr)
	default:
		err = fmt.Errorf("no role is called %q", role)
	}
	return a, err
}

func (c *durableChild) obey(o order) (a answer, err error) {
	switch o.Do {
	case "keep":
		a.Load, err = runKeep(c.keeper, o.Callers, o.For)
	case "profile":
		err = c.profile.to(o.Path)
	case "usage":
	default:
		err = fmt.Errorf("no order is called %q", o.Do)
	}
	a.Usage = c.usage()
	return a, err
}

// runKeep lets n publishers have one thing after the other kept until the
// time is over.
func runKeep(k keeper, n int, d time.Duration) (load, error) {
	if k == nil {
		return load{}, errors.New("nothing is kept here")
	}
	var (
		h     histogram
		errs  = make([]error, n)
		wg    sync.WaitGroup
		begin = time.Now()
	)
	if bare, ok := k.(bareKeeper); ok {
		errs[0] = keepUntil(func([]byte) error {
			return bare.keepAll(slices.Repeat([][]byte{payloadOf(smallSize)}, n))
		}, begin, d, &h)
		h.total *= uint64(n) // the readings are of all of them
	} else {
		for i := range n {
			wg.Go(func() { errs[i] = keepUntil(k.keep, begin, d, &h) })
		}
		wg.Wait()
	}
	l := load{Calls: h.total, Seconds: time.Since(begin).Seconds()}
	if _, ok := k.(bareKeeper); ok {
		h.total /= uint64(n)
	}
	l.P50, l.P99, l.P999 = h.quantile(0.50), h.quantile(0.99), h.quantile(0.999)
	return l, errors.Join(errs...)
}

func keepUntil(keep func([]byte) error, begin time.Time, d time.Duration, h *histogram) error {
	r := recorder{to: h}
	defer r.flush()
	for last := time.Since(begin); ; {
		if err := keep(payloadOf(smallSize)); err != nil {
			return err
		}
		now := time.Since(begin)
		r.add(now - last)
		if last = now; last >= d {
			return nil
		}
	}
}
