package main

import (
	"bytes"
	"fmt"
	"sync"
	"time"
)

// A load is what one run of one mode measured in the client.
type load struct {
	Calls   uint64  `json:"calls"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
}

// runLoad lets callers goroutines call over c, each one call after the other,
// until the time is over. Every reply is compared with the payload.
func runLoad(c conn, callers int, d time.Duration) (load, error) {
	hists := make([]histogram, callers)
	errs := make([]error, callers)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range callers {
		wg.Go(func() { errs[i] = callUntil(c, begin, d, &hists[i]) })
	}
	wg.Wait()
	took := time.Since(begin)
	for _, err := range errs {
		if err != nil {
			return load{}, err
		}
	}
	for i := range hists[1:] {
		hists[0].merge(&hists[i+1])
	}
	h := &hists[0]
	return load{Calls: h.Total, Seconds: took.Seconds(), P50: h.quantile(0.50), P99: h.quantile(0.99)}, nil
}

func callUntil(c conn, begin time.Time, d time.Duration, h *histogram) error {
	p := []byte(payload)
	for last := time.Since(begin); last < d; {
		if err := callOnce(c, p); err != nil {
			return err
		}
		now := time.Since(begin)
		h.add(now - last)
		last = now
	}
	return nil
}

func callOnce(c conn, p []byte) error {
	reply, err := c.call(p)
	if err != nil {
		return err
	}
	if !bytes.Equal(reply, p) {
		return fmt.Errorf("sent %q, received %q", p, reply)
	}
	return nil
}
