package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// A plan is what to measure, and for how long.
type plan struct {
	peers  []*peer
	modes  []int // numbers of callers
	rounds int
	each   time.Duration // one run of one mode
	idle   int           // connections of the idle measurement; 0 leaves it out
	starts int           // starts of the command line tool
	binary string        // the command line tool; empty leaves it out
	dir    string        // where the sockets are
	say    io.Writer     // progress
}

// A sample is one run of one mode in one round.
type sample struct {
	load
	cpuPerMillion float64 // seconds of all processes
	rssMiB        float64 // of all processes, at the end of the run
}

func (s sample) callsPerSecond() float64 { return float64(s.Calls) / s.Seconds }

// A series holds the samples of one peer in one mode, by round.
type series struct {
	peer    *peer
	callers int
	samples []sample
}

// measure runs all rounds and returns the series in the order of the plan:
// by mode, and within a mode by peer.
func (pl *plan) measure() ([]*series, error) {
	stages, err := pl.setStages()
	defer func() {
		for _, s := range stages {
			s.strike()
		}
	}()
	if err != nil {
		return nil, err
	}
	var all []*series
	for _, callers := range pl.modes {
		for _, p := range pl.peers {
			if callers == 1 || !p.lockstep {
				all = append(all, &series{peer: p, callers: callers})
			}
		}
	}
	for round := -1; round < pl.rounds; round++ { // the first one warms up and is thrown away
		fmt.Fprintf(pl.say, "\rround %d of %d ", round+1, pl.rounds)
		for _, s := range all {
			sample, err := stages[slices.Index(pl.peers, s.peer)].run(s.callers, pl.each)
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				s.samples = append(s.samples, sample)
			}
		}
	}
	fmt.Fprint(pl.say, "\r                    \r")
	return all, nil
}

func (pl *plan) setStages() (stages []*stage, err error) {
	for _, p := range pl.peers {
		s, err := setStage(p, pl.dir)
		if err != nil {
			return stages, err
		}
		stages = append(stages, s)
	}
	return stages, nil
}

// run lets the client of the stage call for a while and takes the sample.
func (s *stage) run(callers int, d time.Duration) (sample, error) {
	before, err := ask(order{Do: "usage"}, s.everyone()...)
	if err != nil {
		return sample{}, err
	}
	a, err := s.client.do(order{Do: "load", Callers: callers, For: d})
	if err != nil {
		return sample{}, err
	}
	after, err := ask(order{Do: "usage"}, s.everyone()...)
	if err != nil {
		return sample{}, err
	}
	return sample{
		load:          a.Load,
		cpuPerMillion: (after.CPU - before.CPU) / float64(a.Load.Calls) * 1e6,
		rssMiB:        float64(after.RSS) / 1024,
	}, nil
}
