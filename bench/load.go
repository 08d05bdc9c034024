package main

import (
	"errors"
	"sync"
	"time"
)

// A load is what one run of one mode measured in the client.
type load struct {
	Calls   uint64  `json:"calls"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
	P999    float64 `json:"p999_us"`
}

// runLoad lets callers goroutines call over c, each one call after the other,
// until the time is over. Every reply is compared with the payload. What a
// slow call takes is not counted.
func runLoad(c conn, m mode, d time.Duration) (load, error) {
	stop, err := keepSlow(c, m.slow)
	if err != nil {
		return load{}, err
	}
	var (
		h     histogram
		errs  = make([]error, m.callers)
		p     = payloadOf(m.payload)
		wg    sync.WaitGroup
		begin = time.Now()
	)
	for i := range m.callers {
		wg.Go(func() { errs[i] = callUntil(c, p, begin, d, &h) })
	}
	wg.Wait()
	took := time.Since(begin)
	if err := errors.Join(append(errs, stop())...); err != nil {
		return load{}, err
	}
	return load{
		Calls: h.total, Seconds: took.Seconds(),
		P50: h.quantile(0.50), P99: h.quantile(0.99), P999: h.quantile(0.999),
	}, nil
}

// keepSlow makes one slow call after the other, if that is wanted, until the
// returned func is called.
func keepSlow(c conn, wanted bool) (stop func() error, err error) {
	if !wanted {
		return func() error { return nil }, nil
	}
	s, ok := c.(slower)
	if !ok {
		return nil, errNoSlowCall
	}
	over, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-over:
				ended <- nil
				return
			default:
			}
			if err := s.callSlow(); err != nil {
				ended <- err
				return
			}
		}
	}()
	return func() error { close(over); return <-ended }, nil
}

// callUntil makes one call at least, however late it gets its turn.
func callUntil(c conn, p []byte, begin time.Time, d time.Duration, h *histogram) error {
	r := recorder{to: h}
	defer r.flush()
	for last := time.Since(begin); ; {
		if err := callOnce(c, p); err != nil {
			return err
		}
		now := time.Since(begin)
		r.add(now - last)
		if last = now; last >= d {
			return nil
		}
	}
}

func callOnce(c conn, p []byte) error {
	reply, err := c.call(p)
	if err != nil {
		return err
	}
	if !sameAs(reply, p) {
		return differs(reply, p)
	}
	return nil
}
