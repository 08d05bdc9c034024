package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A plan is what to measure, and for how long.
type plan struct {
	peers    []*peer
	groups   [][]mode // each is measured on processes of its own
	warmUps  int      // rounds before those that count
	rounds   int
	each     time.Duration // one run of one mode
	idle     int           // connections of the idle measurement; 0 leaves it out
	rest     time.Duration // how long they lie idle: whatever is released on idleness has been then
	starts   int           // starts of the command line tool
	binary   string        // the command line tool; empty leaves it out
	profiles string        // folder for CPU profiles; empty leaves them out
	dir      string        // where the sockets are

	eventPeers   []*eventPeer
	subscribers  []int
	durablePeers []*durablePeer
	publishers   []int
	disk         string    // folder where things are kept; empty for the one of temporary files
	say          io.Writer // progress
}

// A sample is one run of one mode in one round.
type sample struct {
	load
	cpuPerMillion    float64  // seconds of all processes
	allocsPerMillion *float64 // of all Go processes; nil if there are others
	rssMiB           float64  // of all processes, at the end of the run
}

func (s sample) callsPerSecond() float64 { return float64(s.Calls) / s.Seconds }

// A series holds the samples of one peer in one mode, by round.
type series struct {
	mode
	stage   *stage
	samples []sample
}

// measure runs everything and returns the series in the order of the plan: by
// mode, and within a mode by peer. Each group of modes has fresh processes,
// so that what large payloads leave in memory does not show with small ones.
func (pl *plan) measure() (all []*series, err error) {
	for i, g := range pl.groups {
		part, err := pl.measureGroup(g, fmt.Sprintf("part %d of %d, ", i+1, len(pl.groups)))
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all, nil
}

func (pl *plan) measureGroup(modes []mode, part string) ([]*series, error) {
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
	for _, m := range modes {
		for _, s := range stages {
			if m.fits(s.peer) {
				all = append(all, &series{mode: m, stage: s})
			}
		}
	}
	for round := -pl.warmUps; round < pl.rounds; round++ {
		fmt.Fprintf(pl.say, "\r%sround %d of %d ", part, round+1, pl.rounds)
		for _, s := range all {
			sample, err := s.stage.run(s.mode, pl.each)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.mode.title(), err)
			}
			if round >= 0 {
				s.samples = append(s.samples, sample)
			}
		}
	}
	fmt.Fprintf(pl.say, "\r%40s\r", "")
	return all, pl.profile(all)
}

func (pl *plan) setStages() (stages []*stage, err error) {
	for _, p := range pl.peers {
		fmt.Fprintf(pl.say, "\rstarting %-20s", p.name)
		s, err := setStage(p, pl.dir)
		if err != nil {
			return stages, err
		}
		stages = append(stages, s)
	}
	return stages, nil
}

// run lets the client of the stage call for a while and takes the sample.
func (s *stage) run(m mode, d time.Duration) (sample, error) {
	before, err := ask(order{Do: "usage"}, s.everyone()...)
	if err != nil {
		return sample{}, err
	}
	a, err := s.client.do(order{Do: "load", Callers: m.callers, Payload: m.payload, Slow: m.slow, For: d})
	if err != nil {
		return sample{}, err
	}
	after, err := ask(order{Do: "usage"}, s.everyone()...)
	if err != nil {
		return sample{}, err
	}
	perMillion := func(x float64) float64 { return x / float64(a.Load.Calls) * 1e6 }
	x := sample{
		load:          a.Load,
		cpuPerMillion: perMillion(after.CPU - before.CPU),
		rssMiB:        float64(after.RSS) / 1024,
	}
	if before.Mallocs != nil && after.Mallocs != nil {
		x.allocsPerMillion = new(perMillion(float64(*after.Mallocs - *before.Mallocs)))
	}
	return x, nil
}

// profile runs each mode of our own peers once more and leaves a CPU profile
// of each process in the folder, as ipc-unix-256x100-client.pprof.
func (pl *plan) profile(all []*series) error {
	if pl.profiles == "" {
		return nil
	}
	dir, err := filepath.Abs(pl.profiles)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, s := range all {
		if !s.stage.peer.profiled {
			continue
		}
		for _, c := range s.stage.everyone() {
			if _, err := c.do(order{Do: "profile", Path: filepath.Join(dir, s.profileName(c.role))}); err != nil {
				return err
			}
		}
		if _, err := s.stage.run(s.mode, pl.each); err != nil {
			return err
		}
		if _, err := ask(order{Do: "profile"}, s.stage.everyone()...); err != nil {
			return err
		}
	}
	return nil
}

func (s *series) profileName(role string) string {
	words := []string{s.stage.peer.name, fmt.Sprintf("%dx%d", s.callers, s.payload)}
	if s.slow {
		words = append(words, "slow")
	}
	return strings.Join(slices.Concat(words, []string{role}), "-") + ".pprof"
}
