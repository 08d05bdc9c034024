package main

import (
	"encoding/json"
	"math"
	"os"
	"slices"
)

// A report is the content of results.json.
type report struct {
	Machine machine `json:"machine"`
	Rounds  int     `json:"rounds"`
	EachMS  int64   `json:"each_ms"`
	// Together is set when all peers were linked into the one program, so
	// that the memory of each process holds a good deal of all of them.
	Together bool `json:"together,omitempty"`

	Rows  []row      `json:"rows"`
	Idle  []idleRow  `json:"idle,omitempty"`
	Start []startRow `json:"start,omitempty"`

	Events  *eventReport   `json:"events,omitempty"`
	Durable *durableReport `json:"durable,omitempty"`
}

// A row is one peer in one mode. Figures are medians over the rounds.
type row struct {
	Peer          string  `json:"peer"`
	Version       string  `json:"version,omitempty"`
	Mode          string  `json:"mode"`    // "sequential", "concurrent" or "slow"
	Callers       int     `json:"callers"` // on one connection
	Payload       int     `json:"payload"` // bytes each way
	P50           float64 `json:"p50_us"`
	P99           float64 `json:"p99_us"`
	P999          float64 `json:"p999_us"`
	CallsPerS     float64 `json:"calls_per_s"`
	MiBPerS       float64 `json:"mib_per_s"`         // of payload, in each direction
	CPUPerMillion float64 `json:"cpu_s_per_million"` // seconds, all processes
	// AllocsPerMillion is of all Go processes; null for what is not Go.
	AllocsPerMillion *float64 `json:"allocs_per_million"`
	RSS              float64  `json:"rss_mib"` // all processes
	// Spread is the distance between the quartiles of the rounds' p50, in
	// percent of their median: how far the figures of this row can be
	// trusted.
	Spread float64 `json:"spread_percent"`
	// RawRatio is p50 divided by that of the first peer with the same payload
	// in the same round; zero where there is none to divide by.
	RawRatio float64 `json:"p50_to_raw,omitempty"`
}

func (x *row) mode() mode { return mode{x.Callers, x.Payload, x.Mode == "slow"} }

func rows(all []*series) []row {
	var out []row
	for _, s := range all {
		median := func(of func(sample) float64) float64 { return s.median(of) }
		r := row{
			Peer: s.stage.peer.name, Version: s.stage.version, Mode: s.mode.String(),
			Callers: s.callers, Payload: s.payload,
			P50:           round(median(func(x sample) float64 { return x.P50 }), 2),
			P99:           round(median(func(x sample) float64 { return x.P99 }), 2),
			P999:          round(median(func(x sample) float64 { return x.P999 }), 2),
			CallsPerS:     round(median(sample.callsPerSecond), 1),
			MiBPerS:       round(median(sample.callsPerSecond)*float64(s.payload)/(1<<20), 1),
			CPUPerMillion: round(median(func(x sample) float64 { return x.cpuPerMillion }), 2),
			RSS:           round(median(func(x sample) float64 { return x.rssMiB }), 1),
			Spread:        round(s.spread(), 1),
		}
		if s.samples[0].allocsPerMillion != nil {
			r.AllocsPerMillion = new(round(median(func(x sample) float64 { return *x.allocsPerMillion }), -3))
		}
		if raw := rawOf(all, s.mode); raw != nil {
			r.RawRatio = round(ratio(s, raw), 2)
		}
		out = append(out, r)
	}
	return out
}

// rawOf is the series that the ratios of a mode refer to; nil if there is
// none.
func rawOf(all []*series, m mode) *series {
	i := slices.IndexFunc(all, func(s *series) bool { return s.stage.peer == rawUnix && s.mode == m })
	if i < 0 {
		return nil
	}
	return all[i]
}

func (s *series) values(of func(sample) float64) []float64 {
	v := make([]float64, len(s.samples))
	for i, x := range s.samples {
		v[i] = of(x)
	}
	return v
}

func (s *series) median(of func(sample) float64) float64 { return quantile(s.values(of), 0.5) }

func (s *series) spread() float64 {
	v := s.values(func(x sample) float64 { return x.P50 })
	return 100 * (quantile(v, 0.75) - quantile(v, 0.25)) / quantile(v, 0.5)
}

// ratio is the median of the ratios within each round, which a slow round
// that is slow for both does not disturb.
func ratio(s, to *series) float64 {
	v := make([]float64, len(s.samples))
	for i := range v {
		v[i] = s.samples[i].P50 / to.samples[i].P50
	}
	return quantile(v, 0.5)
}

// quantile returns the value below which the share q of v lies, interpolated
// between neighbours.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	at := q * float64(len(v)-1)
	i := int(at)
	if i == len(v)-1 {
		return v[i]
	}
	return v[i] + (v[i+1]-v[i])*(at-float64(i))
}

// round rounds to digits behind the point, or if negative before it.
func round(x float64, digits int) float64 {
	unit := math.Pow10(digits)
	return math.Round(x*unit) / unit
}

func (r *report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func readReport(path string) (*report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(report)
	return r, json.Unmarshal(text, r)
}

// row returns that of a peer in a mode; nil if there is none.
func (r *report) row(name string, m mode) *row {
	i := slices.IndexFunc(r.Rows, func(x row) bool { return x.Peer == name && x.mode() == m })
	if i < 0 {
		return nil
	}
	return &r.Rows[i]
}

// names and modes in the order of their first row.
func (r *report) names() (names []string) {
	for _, x := range r.Rows {
		if !slices.Contains(names, x.Peer) {
			names = append(names, x.Peer)
		}
	}
	return names
}

func (r *report) modes() (modes []mode) {
	for _, x := range r.Rows {
		if !slices.Contains(modes, x.mode()) {
			modes = append(modes, x.mode())
		}
	}
	return modes
}

// most returns the mode with the most callers at the small payload; the
// sequential one if there is no other.
func (r *report) most() mode {
	m := mode{1, smallSize, false}
	for _, x := range r.modes() {
		if x.payload == smallSize && !x.slow && x.callers > m.callers {
			m = x
		}
	}
	return m
}
