package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// A table is lines of cells, the first line being the heading.
type table [][]string

// plain writes the table with aligned columns.
func (t table) plain(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, line := range t {
		fmt.Fprintf(tw, "%s\t\n", strings.Join(line, "\t"))
	}
	tw.Flush()
}

// markdown writes the table as Markdown has it, figures to the right.
func (t table) markdown(w io.Writer) {
	for i, line := range t {
		fmt.Fprintf(w, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|---|%s\n", strings.Repeat("--:|", len(line)-1))
		}
	}
}

// ofMode has a line for each peer that was measured in the mode.
func (r *report) ofMode(m mode) table {
	t := table{{"peer", "p50 µs", "p99 µs", "p99.9 µs", "x raw", "calls/s", "MiB/s", "CPU s/M", "allocs/call", "RSS MiB", "spread"}}
	for _, x := range r.Rows {
		if x.mode() == m {
			t = append(t, []string{
				x.Peer, micros(x.P50), micros(x.P99), micros(x.P999), times(x.RawRatio), thousands(x.CallsPerS), volume(&x),
				fmt.Sprintf("%.1f", x.CPUPerMillion), allocations(&x), fmt.Sprintf("%.0f", x.RSS), fmt.Sprintf("%.0f %%", x.Spread),
			})
		}
	}
	return t
}

// byPeer has a line for each peer: what a reader wants to compare.
func (r *report) byPeer() table {
	one, few, most := mode{1, smallSize, false}, mode{16, smallSize, false}, r.most()
	large := mode{1, 1 << 20, false}
	t := table{{
		"peer", "p50 µs", "p99 µs", "× raw", "calls/s, 16 callers", fmt.Sprintf("calls/s, %d callers", most.callers),
		fmt.Sprintf("CPU s per M calls at %d", most.callers), "MiB/s at 1 MiB", "RSS MiB", "KiB per idle connection, service + client",
	}}
	for _, name := range r.names() {
		x := r.row(name, one)
		busy := r.row(name, most)
		line := []string{name}
		line = append(line, cell(x, func(x *row) string { return micros(x.P50) }), cell(x, func(x *row) string { return micros(x.P99) }),
			cell(x, func(x *row) string { return times(x.RawRatio) }), cell(r.row(name, few), rate), cell(busy, rate),
			cell(busy, func(x *row) string { return fmt.Sprintf("%.1f", x.CPUPerMillion) }), cell(r.row(name, large), volume))
		if busy == nil {
			busy = x
		}
		t = append(t, append(line, cell(busy, func(x *row) string { return fmt.Sprintf("%.0f", x.RSS) }), r.idleCell(name)))
	}
	return t
}

// cell is what text says of a row, and a dash where there is no row.
func cell(x *row, text func(*row) string) string {
	if x == nil {
		return "–"
	}
	return text(x)
}

func rate(x *row) string { return thousands(x.CallsPerS) }

// volume is left out where the payload is so small that it says nothing.
func volume(x *row) string {
	if x.Payload < 1<<10 {
		return "–"
	}
	return thousands(x.MiBPerS)
}

func allocations(x *row) string {
	if x.AllocsPerMillion == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f", *x.AllocsPerMillion/1e6)
}

func (r *report) idleCell(name string) string {
	for _, x := range r.Idle {
		if x.Peer == name {
			return fmt.Sprintf("%.1f + %.1f", x.Service, x.Client)
		}
	}
	return "–"
}

// idleTable has a line for each peer whose idle connections were measured.
func (r *report) idleTable() table {
	t := table{{"peer", "idle connections", "service KiB each", "client KiB each"}}
	for _, x := range r.Idle {
		t = append(t, []string{x.Peer, thousands(float64(x.Conns)), fmt.Sprintf("%.1f", x.Service), fmt.Sprintf("%.1f", x.Client)})
	}
	return t
}

// besideSlow says for each peer that has a slow call what it does to others.
func (r *report) besideSlow() (lines []string) {
	for _, x := range r.Rows {
		m := x.mode()
		if !m.slow {
			continue
		}
		m.slow = false
		if without := r.row(x.Peer, m); without != nil {
			lines = append(lines, fmt.Sprintf("%s, %d callers beside a call that takes %s: p99 %s µs, without it %s µs.",
				x.Peer, x.Callers, slownessText, micros(x.P99), micros(without.P99)))
		}
	}
	return lines
}

// micros writes a time with a digit behind the point where it is short.
func micros(us float64) string {
	if us < 100 {
		return fmt.Sprintf("%.1f", us)
	}
	return thousands(us)
}

func times(ratio float64) string {
	if ratio == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", ratio)
}

// thousands writes 12345 as 12,345.
func thousands(x float64) string {
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// print writes what a person reads at the terminal.
func (r *report) print(w io.Writer) {
	if len(r.Rows) > 0 {
		r.printCalls(w)
	}
	if r.Events != nil {
		r.Events.long(w)
	}
	if r.Durable != nil {
		r.Durable.long(w)
	}
}

func (r *report) printCalls(w io.Writer) {
	fmt.Fprintf(w, "%s\n%s\n", r.Machine, r.how())
	for _, m := range r.modes() {
		fmt.Fprintf(w, "\n%s\n", m.title())
		r.ofMode(m).plain(w)
	}
	if len(r.Idle) > 0 {
		fmt.Fprintln(w)
		r.idleTable().plain(w)
	}
	for _, x := range r.Idle {
		if x.Short != "" {
			fmt.Fprintf(w, "%s: no more than %d connections: %s\n", x.Peer, x.Conns, x.Short)
		}
	}
	fmt.Fprintln(w)
	for _, line := range r.besideSlow() {
		fmt.Fprintln(w, line)
	}
	for _, x := range r.Start {
		fmt.Fprintf(w, "%s: %.1f ms from start to end, %.1f ms CPU (median of %d)\n", x.Command, x.WallMS, x.CPUMS, x.Runs)
	}
}

// printMarkdown writes what the README shows of calls.
func (r *report) printMarkdown(w io.Writer) {
	r.byPeer().markdown(w)
	fmt.Fprintf(w, "\n%s. %s\n", r.Machine, r.how())
	for _, line := range r.besideSlow() {
		fmt.Fprintln(w, line)
	}
	for _, x := range r.Start {
		fmt.Fprintf(w, "`%s`: %.1f ms from start to end.\n", x.Command, x.WallMS)
	}
}

func (r *report) how() string {
	s := fmt.Sprintf("Echo of %d bytes where nothing else is said, one connection, client and service in processes of their own; medians of %d interleaved rounds of %d ms. "+
		"CPU and memory are those of all processes.", smallSize, r.Rounds, r.EachMS)
	if r.Together {
		s += " Memory is not to be compared: all peers are linked into each process."
	}
	return s
}
