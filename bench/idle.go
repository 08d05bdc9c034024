package main

import (
	"fmt"
	"time"
)

// An idleRow is what a connection costs a service while nobody uses it.
type idleRow struct {
	Peer  string  `json:"peer"`
	Conns int     `json:"conns"`
	KiB   float64 `json:"kib"` // resident memory of service and broker, per connection
}

// rest is how long connections lie idle before memory is read, so that
// whatever is released on idleness has been.
const rest = time.Second

// measureIdle opens many connections to each peer in turn, on fresh processes.
func (pl *plan) measureIdle() (out []idleRow, err error) {
	if pl.idle == 0 {
		return nil, nil
	}
	for _, p := range pl.peers {
		fmt.Fprintf(pl.say, "\ridle %-20s", p.name)
		kib, err := pl.idleOf(p)
		if err != nil {
			return nil, err
		}
		out = append(out, idleRow{Peer: p.name, Conns: pl.idle, KiB: round(kib, 2)})
	}
	fmt.Fprint(pl.say, "\r                         \r")
	return out, nil
}

// idleOf returns KiB per connection. Garbage is returned to the system before
// both readings: what is compared is what the connections hold on to.
func (pl *plan) idleOf(p *peer) (float64, error) {
	s, err := setStage(p, pl.dir)
	if err != nil {
		return 0, err
	}
	defer s.strike()
	before, err := ask(order{Do: "settle"}, s.servers...)
	if err != nil {
		return 0, err
	}
	if _, err := s.client.do(order{Do: "idle", Conns: pl.idle}); err != nil {
		return 0, err
	}
	time.Sleep(rest)
	after, err := ask(order{Do: "settle"}, s.servers...)
	if err != nil {
		return 0, err
	}
	return float64(after.RSS-before.RSS) / float64(pl.idle), nil
}
