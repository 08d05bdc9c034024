package main

import (
	"fmt"
	"io"
	"os"
)

// durableReport is what was measured of keeping things, with where and how.
type durableReport struct {
	Machine machine      `json:"machine"`
	Rounds  int          `json:"rounds"`
	EachMS  int64        `json:"each_ms"`
	Rows    []durableRow `json:"rows"`
}

// A durableRow is one peer with a number of publishers. Figures are medians
// over the rounds.
type durableRow struct {
	Peer          string  `json:"peer"`
	Version       string  `json:"version,omitempty"`
	Publishers    int     `json:"publishers"`
	PerS          float64 `json:"kept_per_s"`
	P50           float64 `json:"p50_us"`
	P99           float64 `json:"p99_us"`
	CPUPerMillion float64 `json:"cpu_s_per_million"`
	Spread        float64 `json:"spread_percent"` // of what was kept a second
}

// A durableStage is one peer with its processes.
type durableStage struct {
	peer    *durablePeer
	version string
	keep    *process
	vault   []*process // one, if there is any
	samples [][]sample // by the number of publishers
}

func setDurableStage(p *durablePeer, dir string) (*durableStage, error) {
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	s := &durableStage{peer: p}
	if err := s.start(dir); err != nil {
		s.strike()
		return nil, err
	}
	return s, nil
}

func (s *durableStage) start(dir string) error {
	program, err := executable(s.peer.program)
	if err != nil {
		return err
	}
	addr := ""
	if s.peer.vault != nil {
		c, a, err := launch(program, s.peer.name, roleVault, dir, addr)
		if err != nil {
			return err
		}
		s.vault, addr = []*process{c}, a.Addr
	}
	c, a, err := launch(program, s.peer.name, roleKeep, dir, addr)
	s.keep, s.version = c, a.Version
	return err
}

func (s *durableStage) everyone() []*process { return append([]*process{s.keep}, s.vault...) }

func (s *durableStage) strike() {
	for _, c := range s.everyone() {
		if c != nil {
			c.stop()
		}
	}
}

func (s *durableStage) run(publishers int, pl *plan) (sample, error) {
	before, err := ask(order{Do: "usage"}, s.everyone()...)
	if err != nil {
		return sample{}, err
	}
	a, err := s.keep.do(order{Do: "keep", Callers: publishers, For: pl.each})
	if err != nil {
		return sample{}, err
	}
	after, err := ask(order{Do: "usage"}, s.everyone()...)
	return sample{load: a.Load, cpuPerMillion: (after.CPU - before.CPU) / float64(a.Load.Calls) * 1e6}, err
}

// measureDurable runs all peers, interleaved as calls are, in a folder of the
// disk that is to be measured.
func (pl *plan) measureDurable() (rows []durableRow, err error) {
	dir, err := os.MkdirTemp(pl.disk, "ekko-ipc-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var stages []*durableStage
	defer func() {
		for _, s := range stages {
			s.strike()
		}
	}()
	for _, p := range pl.durablePeers {
		s, err := setDurableStage(p, dir)
		if err != nil {
			return nil, err
		}
		s.samples = make([][]sample, len(pl.publishers))
		stages = append(stages, s)
	}
	for round := -pl.warmUps; round < pl.rounds; round++ {
		fmt.Fprintf(pl.say, "\rdurable, round %d of %d ", round+1, pl.rounds)
		for i, n := range pl.publishers {
			for _, s := range stages {
				x, err := s.run(n, pl)
				if err != nil {
					return nil, fmt.Errorf("durable, %s, %d publishers: %w", s.peer.name, n, err)
				}
				if round >= 0 {
					s.samples[i] = append(s.samples[i], x)
				}
			}
		}
	}
	fmt.Fprintf(pl.say, "\r%40s\r", "")
	for i, n := range pl.publishers {
		for _, s := range stages {
			rows = append(rows, s.row(n, s.samples[i]))
		}
	}
	return rows, nil
}

func (s *durableStage) row(publishers int, samples []sample) durableRow {
	x := series{samples: samples}
	perS := x.values(sample.callsPerSecond)
	return durableRow{
		Peer: s.peer.name, Version: s.version, Publishers: publishers,
		PerS:          round(quantile(perS, 0.5), 0),
		P50:           round(x.median(func(x sample) float64 { return x.P50 }), 1),
		P99:           round(x.median(func(x sample) float64 { return x.P99 }), 1),
		CPUPerMillion: round(x.median(func(x sample) float64 { return x.cpuPerMillion }), 1),
		Spread:        round(100*(quantile(perS, 0.75)-quantile(perS, 0.25))/quantile(perS, 0.5), 1),
	}
}

func (r *durableReport) table() table {
	t := table{{"peer", "publishers", "kept/s", "p50 µs", "p99 µs", "CPU s/M", "spread"}}
	for _, x := range r.Rows {
		t = append(t, []string{
			x.Peer, thousands(float64(x.Publishers)), thousands(x.PerS), micros(x.P50), micros(x.P99),
			fmt.Sprintf("%.0f", x.CPUPerMillion), fmt.Sprintf("%.0f %%", x.Spread),
		})
	}
	return t
}

func (r *durableReport) long(w io.Writer) {
	fmt.Fprintln(w, "\nConfirmed when it is on the medium")
	r.table().plain(w)
}

func (r *durableReport) printMarkdown(w io.Writer) {
	r.table().markdown(w)
	fmt.Fprintf(w, "\n%s. Records of %d bytes, each confirmed when it is on the medium; medians of %d interleaved rounds of %d ms on one disk. "+
		"fdatasync is one loop that writes a record for each publisher and waits for the medium.\n", r.Machine, smallSize, r.Rounds, r.EachMS)
}
