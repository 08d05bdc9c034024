package main

import (
	"fmt"
	"io"
	"slices"
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

// byMode has a line for each row: everything that was measured.
func (r *report) byMode() table {
	t := table{{"peer", "callers", "p50 µs", "p99 µs", "x raw", "calls/s", "CPU s/M", "RSS MiB", "spread"}}
	for _, x := range r.Rows {
		t = append(t, []string{
			x.Peer, strconv.Itoa(x.Callers), fmt.Sprintf("%.1f", x.P50), fmt.Sprintf("%.0f", x.P99), times(x.RawRatio),
			thousands(x.CallsPerS), fmt.Sprintf("%.1f", x.CPUPerMillion), fmt.Sprintf("%.0f", x.RSS), fmt.Sprintf("%.0f %%", x.Spread),
		})
	}
	return t
}

// byPeer has a line for each peer: what a reader wants to compare.
func (r *report) byPeer() table {
	modes := r.modes()
	most := modes[len(modes)-1]
	head := []string{"peer"}
	for _, n := range modes {
		if n == 1 {
			head = append(head, "p50 µs", "p99 µs", "× raw")
		} else {
			head = append(head, fmt.Sprintf("calls/s, %d callers", n))
		}
	}
	t := table{append(head, fmt.Sprintf("CPU s per M calls at %d", most), "RSS MiB", "KiB per idle connection")}
	for _, name := range r.names() {
		line := []string{name}
		for _, n := range modes {
			line = append(line, r.cells(name, n)...)
		}
		last := r.row(name, most)
		if last == nil {
			last = r.row(name, 1)
			line = append(line, "–")
		} else {
			line = append(line, fmt.Sprintf("%.1f", last.CPUPerMillion))
		}
		t = append(t, append(line, memory(last), r.idleCell(name)))
	}
	return t
}

// cells are those of one peer in one mode.
func (r *report) cells(name string, callers int) []string {
	x := r.row(name, callers)
	switch {
	case callers == 1 && x == nil:
		return []string{"–", "–", "–"}
	case callers == 1:
		return []string{fmt.Sprintf("%.1f", x.P50), fmt.Sprintf("%.0f", x.P99), times(x.RawRatio)}
	case x == nil:
		return []string{"–"}
	}
	return []string{thousands(x.CallsPerS)}
}

func (r *report) idleCell(name string) string {
	for _, x := range r.Idle {
		if x.Peer == name {
			return fmt.Sprintf("%.1f", x.KiB)
		}
	}
	return "–"
}

func (r *report) row(name string, callers int) *row {
	i := slices.IndexFunc(r.Rows, func(x row) bool { return x.Peer == name && x.Callers == callers })
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

func (r *report) modes() (modes []int) {
	for _, x := range r.Rows {
		if !slices.Contains(modes, x.Callers) {
			modes = append(modes, x.Callers)
		}
	}
	return modes
}

func memory(x *row) string {
	if x == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f", x.RSS)
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
	fmt.Fprintf(w, "%s\n%s\n\n", r.Machine, r.how())
	r.byMode().plain(w)
	if len(r.Idle) > 0 {
		t := table{{"peer", "idle connections", "KiB each"}}
		for _, x := range r.Idle {
			t = append(t, []string{x.Peer, strconv.Itoa(x.Conns), fmt.Sprintf("%.1f", x.KiB)})
		}
		fmt.Fprintln(w)
		t.plain(w)
	}
	for _, x := range r.Start {
		fmt.Fprintf(w, "\n%s: %.1f ms from start to end, %.1f ms CPU (median of %d)\n", x.Command, x.WallMS, x.CPUMS, x.Runs)
	}
}

// printMarkdown writes what the README shows.
func (r *report) printMarkdown(w io.Writer) {
	r.byPeer().markdown(w)
	fmt.Fprintf(w, "\n%s. %s\n", r.Machine, r.how())
	for _, x := range r.Start {
		fmt.Fprintf(w, "`%s`: %.1f ms from start to end.\n", x.Command, x.WallMS)
	}
}

func (r *report) how() string {
	s := fmt.Sprintf("Echo of %d bytes, one connection, client and service in processes of their own; medians of %d interleaved rounds of %d ms. "+
		"CPU and memory are those of all processes.", len(payload), r.Rounds, r.EachMS)
	if r.Together {
		s += " Memory is not to be compared: all peers are linked into each process."
	}
	return s
}
