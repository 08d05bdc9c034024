package main

import (
	"fmt"
	"io"
	"slices"
)

// eventReport is what was measured of events, with where and how: it may
// have been at another time than the calls.
type eventReport struct {
	Machine machine    `json:"machine"`
	Rounds  int        `json:"rounds"`
	EachMS  int64      `json:"each_ms"`
	Rows    []eventRow `json:"rows"`
}

// An eventRow is one peer with one number of subscribers. Figures are medians
// over the rounds, but for what was lost.
type eventRow struct {
	Peer          string  `json:"peer"`
	Version       string  `json:"version,omitempty"`
	Absent        string  `json:"absent,omitempty"` // why nothing was measured
	Subscribers   int     `json:"subscribers,omitempty"`
	PerS          float64 `json:"deliveries_per_s,omitempty"`
	CPUPerMillion float64 `json:"cpu_s_per_million,omitempty"` // deliveries; of all processes
	RSS           float64 `json:"rss_mib,omitempty"`           // all processes
	// Delivered, Lost and Late are of all rounds together.
	Delivered uint64 `json:"delivered"`
	Lost      uint64 `json:"lost"`
	Late      uint64 `json:"late"`
	// P50 and P99 are of events published one by one to one subscriber.
	P50 float64 `json:"p50_us,omitempty"`
	P99 float64 `json:"p99_us,omitempty"`
	// Spread is as a row's, of the deliveries.
	Spread float64 `json:"spread_percent,omitempty"`
}

func (s *eventStage) row() eventRow {
	of := func(f func(eventSample) float64) []float64 {
		v := make([]float64, len(s.samples))
		for i, x := range s.samples {
			v[i] = f(x)
		}
		return v
	}
	median := func(f func(eventSample) float64) float64 { return quantile(of(f), 0.5) }
	r := eventRow{
		Peer: s.peer.name, Version: s.version, Subscribers: s.subscribers,
		PerS:          round(median(eventSample.perSecond), 0),
		CPUPerMillion: round(median(eventSample.cpuPerMillion), 3),
		RSS:           round(median(func(x eventSample) float64 { return x.rssMiB }), 1),
		P50:           round(median(func(x eventSample) float64 { return x.single.P50 }), 2),
		P99:           round(median(func(x eventSample) float64 { return x.single.P99 }), 2),
	}
	for _, x := range s.samples {
		r.Delivered += x.Delivered
		r.Lost += x.Lost + x.lostSingle
		r.Late += x.Late
	}
	if v := of(eventSample.perSecond); r.PerS > 0 {
		r.Spread = round(100*(quantile(v, 0.75)-quantile(v, 0.25))/quantile(v, 0.5), 1)
	}
	return r
}

// row returns that of a peer with so many subscribers; nil if there is none.
func (r *eventReport) row(name string, subscribers int) *eventRow {
	i := slices.IndexFunc(r.Rows, func(x eventRow) bool { return x.Peer == name && x.Subscribers == subscribers })
	if i < 0 {
		return nil
	}
	return &r.Rows[i]
}

func (r *eventReport) subscribers() (all []int) {
	for _, x := range r.Rows {
		if x.Absent == "" && !slices.Contains(all, x.Subscribers) {
			all = append(all, x.Subscribers)
		}
	}
	return all
}

func (r *eventReport) names() (names []string) {
	for _, x := range r.Rows {
		if x.Absent == "" && !slices.Contains(names, x.Peer) {
			names = append(names, x.Peer)
		}
	}
	return names
}

// table has a line for each peer that was measured.
func (r *eventReport) table() table {
	counts := r.subscribers()
	head := []string{"peer"}
	for _, n := range counts {
		head = append(head, fmt.Sprintf("deliveries/s, 1 → %d", n))
	}
	for _, n := range counts {
		head = append(head, fmt.Sprintf("CPU s per M, 1 → %d", n))
	}
	t := table{append(head, "p50 µs", "p99 µs", "lost")}
	for _, name := range r.names() {
		line, lost := []string{name}, ""
		each := func(text func(*eventRow) string) {
			for _, n := range counts {
				cell := "–"
				if x := r.row(name, n); x != nil {
					cell = text(x)
				}
				line = append(line, cell)
			}
		}
		each(func(x *eventRow) string { return thousands(x.PerS) })
		each(func(x *eventRow) string { return fmt.Sprintf("%.2f", x.CPUPerMillion) })
		p50, p99 := "–", "–"
		if x := r.row(name, 1); x != nil {
			p50, p99 = x.single(x.P50), x.single(x.P99)
		}
		if lost = r.lost(name); lost == "" {
			lost = "0"
		}
		t = append(t, append(line, p50, p99, lost))
	}
	return t
}

// single writes a time of single events, which are measured with one
// subscriber.
func (x *eventRow) single(us float64) string {
	if x.Subscribers > 1 {
		return "–"
	}
	return micros(us)
}

// lost says what a peer lost or delivered out of turn; "" if nothing.
func (r *eventReport) lost(name string) (text string) {
	for _, x := range r.Rows {
		if x.Peer != name || x.Lost+x.Late == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s of %s to %d", thousands(float64(x.Lost)), thousands(float64(x.Lost+x.Delivered)), x.Subscribers)
		if x.Late > 0 {
			text += fmt.Sprintf(" and %s out of order", thousands(float64(x.Late)))
		}
	}
	return text
}

// notes are what is to be said below the table.
func (r *eventReport) notes() []string {
	lines := []string{fmt.Sprintf("%s. Events of %d bytes from one publisher, who is at most %s ahead of the slowest subscriber; all subscribers in one process, with a connection each. "+
		"p50 and p99 are of single events, from before they are published until the subscriber has them. Medians of %d interleaved rounds of %d ms. CPU is that of all processes.",
		r.Machine, smallSize, thousands(window), r.Rounds, r.EachMS)}
	for _, x := range r.Rows {
		if x.Absent != "" {
			lines = append(lines, fmt.Sprintf("%s was not measured: %s.", x.Peer, x.Absent))
		}
	}
	return lines
}

// long writes all there is, for people at the terminal.
func (r *eventReport) long(w io.Writer) {
	for _, n := range r.subscribers() {
		fmt.Fprintf(w, "\nEvents, 1 → %d\n", n)
		t := table{{"peer", "deliveries/s", "CPU s/M", "lost", "late", "p50 µs", "p99 µs", "RSS MiB", "spread"}}
		for _, x := range r.Rows {
			if x.Subscribers != n || x.Absent != "" {
				continue
			}
			t = append(t, []string{
				x.Peer, thousands(x.PerS), fmt.Sprintf("%.3f", x.CPUPerMillion), thousands(float64(x.Lost)), thousands(float64(x.Late)),
				x.single(x.P50), x.single(x.P99), fmt.Sprintf("%.0f", x.RSS), fmt.Sprintf("%.0f %%", x.Spread),
			})
		}
		t.plain(w)
	}
	for _, x := range r.Rows {
		if x.Absent != "" {
			fmt.Fprintf(w, "%s was not measured: %s\n", x.Peer, x.Absent)
		}
	}
}

func (r *eventReport) printMarkdown(w io.Writer) {
	r.table().markdown(w)
	fmt.Fprintln(w)
	for _, line := range r.notes() {
		fmt.Fprintln(w, line)
	}
}
