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
}

// A row is one peer in one mode. Figures are medians over the rounds.
type row struct {
	Peer          string  `json:"peer"`
	Version       string  `json:"version,omitempty"`
	Mode          string  `json:"mode"`    // "sequential" or "concurrent"
	Callers       int     `json:"callers"` // on one connection
	Payload       int     `json:"payload"` // bytes each way
	P50           float64 `json:"p50_us"`
	P99           float64 `json:"p99_us"`
	CallsPerS     float64 `json:"calls_per_s"`
	CPUPerMillion float64 `json:"cpu_s_per_million"` // seconds, all processes
	RSS           float64 `json:"rss_mib"`           // all processes
	// Spread is the distance between the quartiles of the rounds' p50, in
	// percent of their median: how far the figures of this row can be
	// trusted.
	Spread float64 `json:"spread_percent"`
	// RawRatio is p50 divided by that of the first peer in the same round;
	// zero where there is none to divide by.
	RawRatio float64 `json:"p50_to_raw,omitempty"`
}

func rows(all []*series) []row {
	var out []row
	for _, s := range all {
		r := row{
			Peer: s.peer.name, Version: versionOf(s.peer.module), Mode: "concurrent",
			Callers: s.callers, Payload: len(payload),
			P50:           round(s.median(func(x sample) float64 { return x.P50 }), 2),
			P99:           round(s.median(func(x sample) float64 { return x.P99 }), 2),
			CallsPerS:     round(s.median(sample.callsPerSecond), 0),
			CPUPerMillion: round(s.median(func(x sample) float64 { return x.cpuPerMillion }), 2),
			RSS:           round(s.median(func(x sample) float64 { return x.rssMiB }), 1),
			Spread:        round(s.spread(), 1),
		}
		if s.callers == 1 {
			r.Mode = "sequential"
			if raw := all[0]; raw.peer == rawUnix && raw.callers == 1 {
				r.RawRatio = round(ratio(s, raw), 2)
			}
		}
		out = append(out, r)
	}
	return out
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
