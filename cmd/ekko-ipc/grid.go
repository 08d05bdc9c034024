package main

import (
	"strings"
	"unicode/utf8"
)

// grid is a table for people: the first row is its head.
type grid struct {
	paint palette
	rows  [][]string
}

func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

// String lays the rows out. The first column is painted as a name.
func (g *grid) String() string {
	var widths []int
	for _, row := range g.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range g.rows {
		last := len(row) - 1
		for last > 0 && row[last] == "" {
			last--
		}
		for i, cell := range row[:last+1] {
			if i > 0 {
				b.WriteString("  ")
			}
			if i < last {
				cell = pad(cell, widths[i])
			}
			switch {
			case n == 0:
				cell = g.paint.dim(cell)
			case i == 0:
				cell = g.paint.cyan(cell)
			}
			b.WriteString(cell)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
