//go:build !solo

package main

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the program that starts itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		childMain(os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

// TestSmoke runs everything once, as short as it goes, so that no peer rots.
func TestSmoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	var out strings.Builder
	if err := run([]string{"-smoke", "-modes", "1,16", "-out", path}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if !strings.Contains(out.String(), p.name) {
			t.Errorf("the table does not name %s", p.name)
		}
		if x := r.row(p.name, 1); x == nil || x.P50 <= 0 || x.P99 < x.P50 || x.CallsPerS <= 0 || x.CPUPerMillion <= 0 || x.RSS <= 0 {
			t.Errorf("%s: implausible figures: %+v", p.name, x)
		}
		if x := r.row(p.name, 16); (x == nil) != p.lockstep {
			t.Errorf("%s at 16 callers: %+v", p.name, x)
		}
	}
	if len(r.Idle) != len(peers) {
		t.Errorf("idle connections of %d peers, want %d", len(r.Idle), len(peers))
	}

	var markdown strings.Builder
	if err := run([]string{"-from", path, "-markdown"}, &markdown, io.Discard); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(markdown.String(), "\n")
	for i, line := range lines[:len(peers)+2] {
		if got, want := strings.Count(line, "|"), strings.Count(lines[0], "|"); got != want {
			t.Errorf("line %d of the Markdown table has %d bars, the first %d: %s", i+1, got, want, line)
		}
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-peers", "pigeon"}, {"-modes", "0"}, {"-modes", "1,x"}, {"-modes", "5000"}, {"now"}, {"-from", "/nonexistent"}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestChildRefuses(t *testing.T) {
	for _, args := range [][]string{{}, {roleServe, "pigeon", "", ""}} {
		if err := runChild(args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	var out strings.Builder
	if err := runChild([]string{roleServe, rawName, t.TempDir(), ""}, strings.NewReader(`{"do":"dance"}`), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `no order is called \"dance\"`) {
		t.Errorf("answers: %s", &out)
	}
}

func TestHistogram(t *testing.T) {
	var h, other histogram
	for i := range 100_000 { // 0.1 µs to 10 ms, evenly
		d := time.Duration(i+1) * 100
		if i%2 == 0 {
			h.add(d)
		} else {
			other.add(d)
		}
	}
	h.merge(&other)
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		if got, want := h.quantile(q), q*10_000; math.Abs(got-want) > want*0.02 {
			t.Errorf("quantile %v = %v µs, want about %v", q, got, want)
		}
	}
	if got := new(histogram).quantile(0.5); got != 0 {
		t.Errorf("quantile of nothing = %v", got)
	}
}

func TestBuckets(t *testing.T) {
	for i := range buckets {
		if got := bucketOf(boundOf(i)); got != i {
			t.Fatalf("the smallest duration of bucket %d, %d ns, counts in bucket %d", i, boundOf(i), got)
		}
	}
	if got := bucketOf(math.MaxUint64); got != buckets-1 {
		t.Errorf("the longest duration counts in bucket %d of %d", got, buckets)
	}
}

func TestQuantile(t *testing.T) {
	v := []float64{4, 1, 3, 2}
	for q, want := range map[float64]float64{0: 1, 0.5: 2.5, 1: 4} {
		if got := quantile(v, q); got != want {
			t.Errorf("quantile %v = %v, want %v", q, got, want)
		}
	}
	if !slices.Equal(v, []float64{4, 1, 3, 2}) {
		t.Errorf("quantile reordered its argument: %v", v)
	}
}

func TestThousands(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(x); got != want {
			t.Errorf("thousands(%v) = %s, want %s", x, got, want)
		}
	}
}
