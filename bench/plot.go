package main

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// A panel is one comparison of the plot: a bar for each peer, the best first.
type panel struct {
	title, note string
	bars        []bar
}

// A bar is a peer's place in a panel.
type bar struct {
	peer  string
	value float64
	text  string
}

// panels are what a reader wants to see first: how much a connection carries,
// and how long one has to wait.
func (r *report) panels() []panel {
	most := r.most()
	busy := panel{title: "Calls per second", note: fmt.Sprintf("%d callers on one connection; longer is better", most.callers)}
	alone := panel{title: "Microseconds per call", note: "one caller, median; shorter is better"}
	for _, x := range r.Rows {
		switch x.mode() {
		case most:
			busy.bars = append(busy.bars, bar{x.Peer, x.CallsPerS, thousands(x.CallsPerS)})
		case mode{1, smallSize, false}:
			alone.bars = append(alone.bars, bar{x.Peer, x.P50, micros(x.P50)})
		}
	}
	slices.SortStableFunc(busy.bars, func(a, b bar) int { return cmp.Compare(b.value, a.value) })
	slices.SortStableFunc(alone.bars, func(a, b bar) int { return cmp.Compare(a.value, b.value) })
	return []panel{busy, alone}
}

// Measures of the plot, in pixels.
const (
	panelWidth = 430
	nameWidth  = 128 // names end here
	barStart   = nameWidth + 8
	barWidth   = 200 // of the longest
	barHeight  = 13
	lineHeight = 22
	headHeight = 62
	footHeight = 48
)

// Colours that can be read on white and on black alike: the page that shows
// the plot says neither which it is.
const (
	inkColour    = "#6e7781"
	ourColour    = "#2f81f7"
	otherColour  = "#8c959f"
	plotFontList = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"
)

// draw writes the plot as SVG.
func (r *report) draw() []byte {
	panels := r.panels()
	lines := 0
	for _, p := range panels {
		lines = max(lines, len(p.bars))
	}
	width, height := panelWidth*len(panels), headHeight+lines*lineHeight+footHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="%s" font-size="13" fill="%s">`+"\n",
		width, height, width, height, plotFontList, inkColour)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape("EkkoJS IPC beside other ways of calling a process on the same machine"))
	for i, p := range panels {
		fmt.Fprintf(&b, "<g transform=\"translate(%d 0)\">\n", i*panelWidth)
		p.draw(&b)
		b.WriteString("</g>\n")
	}
	foot := fmt.Sprintf("Echo of %d bytes between two processes, medians of %d rounds. The raw sockets carry the same bytes and do nothing else.", smallSize, r.Rounds)
	for i, text := range []string{foot, r.Machine.String()} {
		fmt.Fprintf(&b, "<text x=\"16\" y=\"%d\" font-size=\"11\">%s</text>\n", height-24+i*15, escape(text))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p panel) draw(b *bytes.Buffer) {
	fmt.Fprintf(b, "<text x=\"%d\" y=\"26\" font-size=\"16\" font-weight=\"600\">%s</text>\n", barStart, escape(p.title))
	fmt.Fprintf(b, "<text x=\"%d\" y=\"44\" font-size=\"12\">%s</text>\n", barStart, escape(p.note))
	longest := 0.0
	for _, x := range p.bars {
		longest = max(longest, x.value)
	}
	for i, x := range p.bars {
		x.draw(b, headHeight+i*lineHeight, max(2, x.value/longest*barWidth))
	}
}

// draw writes the bar's line, whose top is at y.
func (x bar) draw(b *bytes.Buffer, y int, length float64) {
	name, colour, weight := x.peer, otherColour, "400"
	looks := fmt.Sprintf(`fill="%s"`, colour)
	switch p := peerNamed(x.peer); {
	case strings.HasPrefix(x.peer, "ipc-"):
		name, colour, weight = "EkkoJS "+x.peer, ourColour, "600"
		looks = fmt.Sprintf(`fill="%s"`, colour)
	case strings.HasPrefix(x.peer, "raw-"):
		looks = fmt.Sprintf(`fill="none" stroke="%s" stroke-dasharray="3 2"`, colour)
	case p != nil && p.program == "":
		name += " (Node)"
	}
	ink := ""
	if colour == ourColour {
		ink = fmt.Sprintf(` fill="%s"`, ourColour)
	}
	base := y + barHeight - 2
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" font-weight=\"%s\"%s>%s</text>\n", nameWidth, base, weight, ink, escape(name))
	fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\" %s/>\n", barStart, y, length, barHeight, looks)
	fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\" font-weight=\"%s\"%s>%s</text>\n", barStart+length+6, base, weight, ink, escape(x.text))
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}
