//go:build !solo

package main

import (
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"
)

// some is a report with one row of each peer in each of the plot's modes.
func some() *report {
	r := &report{Rounds: 3, Machine: machine{CPU: "<fast> & new", Cores: 2}}
	for i, p := range peers {
		r.Rows = append(r.Rows, row{Peer: p.name, Mode: "sequential", Callers: 1, Payload: smallSize, P50: float64(10 * (i + 1)), CallsPerS: 1e5})
		if !p.lockstep {
			r.Rows = append(r.Rows, row{Peer: p.name, Mode: "concurrent", Callers: 256, Payload: smallSize, CallsPerS: float64(1000 * (i + 1))})
		}
	}
	return r
}

// TestDraw: the plot is XML, and names each peer once in each panel.
func TestDraw(t *testing.T) {
	text := string(some().draw())
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range peers {
		want := 2
		if p.lockstep {
			want = 1
		}
		name := p.name
		if p.program == "" {
			name += " (Node)"
		}
		if got := strings.Count(text, ">"+name+"<") + strings.Count(text, ">EkkoJS "+name+"<"); got != want {
			t.Errorf("%s is named %d times, want %d", name, got, want)
		}
	}
	if !strings.Contains(text, ">14,000<") {
		t.Error("the longest bar is not labelled")
	}
}

func TestPanelsBestFirst(t *testing.T) {
	panels := some().panels()
	if got := panels[0].bars[0].peer; got != inOrder[len(inOrder)-1] {
		t.Errorf("most calls a second: %s", got)
	}
	if got := panels[1].bars[0].peer; got != inOrder[0] {
		t.Errorf("shortest call: %s", got)
	}
}

// TestPublishedPlot: the plot in the documentation shows the results beside it.
func TestPublishedPlot(t *testing.T) {
	r, err := readReport("results.json")
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadFile("../docs/bench.svg")
	if err != nil {
		t.Fatal(err)
	}
	if string(drawn) != string(r.draw()) {
		t.Error("docs/bench.svg is not what bench -from bench/results.json -plot docs/bench.svg draws")
	}
}

func TestWriteInto(t *testing.T) {
	path := t.TempDir() + "/README.md"
	if err := os.WriteFile(path, []byte("before\n"+markBegin+"old\n"+markEnd+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := some().writeInto(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var table strings.Builder
		some().printMarkdown(&table)
		if want := "before\n" + markBegin + table.String() + markEnd + "after\n"; string(text) != want {
			t.Errorf("got %q, want %q", text, want)
		}
	}
	if err := os.WriteFile(path, []byte(markBegin+markEnd+markEvents+"old\n"+markEnd), 0o644); err != nil {
		t.Fatal(err)
	}
	both := some()
	both.Events = &eventReport{Rows: []eventRow{{Peer: ipcEvents, Subscribers: 1, Lost: 1234, Delivered: 1}}}
	if err := both.writeInto(path); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); !strings.Contains(string(text), markEnd+markEvents+"| peer | deliveries/s, 1 → 1 |") || !strings.Contains(string(text), "1,234 of 1,235 to 1") {
		t.Errorf("the table of events is not at its place: %s", text)
	}
	if err := os.WriteFile(path, []byte(markEnd+markBegin), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := some().writeInto(path); err == nil {
		t.Error("no error for marks in the wrong order")
	}
}
