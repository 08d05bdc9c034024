//go:build !solo

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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

// TestSmoke runs everything once, as short as it goes, so that no peer rots:
// every mode, the largest payload included, and idle connections.
func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	path, plot, profiles := filepath.Join(dir, "results.json"), filepath.Join(dir, "bench.svg"), filepath.Join(dir, "profiles")
	var out strings.Builder
	args := []string{"-smoke", "-callers", "1,16", "-payloads", "100,1048576", "-subscribers", "1,3", "-publishers", "1,4", "-disk", dir, "-out", path, "-plot", plot, "-profile", profiles}
	if err := run(args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	r, err := readReport(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if !strings.Contains(out.String(), p.name) {
			t.Errorf("the tables do not name %s", p.name)
		}
		for _, m := range []mode{{1, 100, false}, {16, 100, false}, {16, 100, true}, {1, 1 << 20, false}, {16, 1 << 20, false}} {
			x := r.row(p.name, m)
			if (x != nil) != m.fits(p) {
				t.Errorf("%s, %s: %+v", p.name, m.title(), x)
			}
			if x != nil {
				checkRow(t, p, x)
			}
		}
		i := slices.IndexFunc(r.Idle, func(x idleRow) bool { return x.Peer == p.name })
		if (i >= 0) == p.single || i >= 0 && r.Idle[i].Conns != 5 {
			t.Errorf("%s: idle connections: %+v", p.name, r.Idle)
		}
		if !p.profiled {
			continue
		}
		for _, name := range []string{"1x100-client", "16x100-slow-serve", "16x1048576-serve"} {
			if info, err := os.Stat(filepath.Join(profiles, p.name+"-"+name+".pprof")); err != nil || info.Size() == 0 {
				t.Errorf("profile %s of %s: %v, %v", name, p.name, info, err)
			}
		}
	}
	if drawn, err := os.ReadFile(plot); err != nil || string(drawn) != string(r.draw()) {
		t.Errorf("the plot is not that of the results: %d bytes, %v", len(drawn), err)
	}
	checkMarkdown(t, path, len(peers))
	checkEvents(t, r.Events)
	checkDurable(t, r.Durable)
}

// checkRow: figures that mean nothing are still not impossible.
func checkRow(t *testing.T, p *peer, x *row) {
	t.Helper()
	if x.P50 <= 0 || x.P99 < x.P50 || x.P999 < x.P99 || x.CallsPerS <= 0 {
		t.Errorf("%s: implausible times: %+v", p.name, x)
	}
	if runtime.GOOS == "linux" && (x.CPUPerMillion <= 0 || x.RSS <= 0) {
		t.Errorf("%s: implausible use of the machine: %+v", p.name, x)
	}
	if inGo := p.program != ""; inGo != (x.AllocsPerMillion != nil) {
		t.Errorf("%s: allocations %v", p.name, x.AllocsPerMillion)
	}
	if p.module != "" && x.Version == "" || p.program == "" && x.Version == "" {
		t.Errorf("%s: no version", p.name)
	}
}

func checkMarkdown(t *testing.T, path string, peers int) {
	t.Helper()
	var out strings.Builder
	if err := run([]string{"-from", path, "-markdown"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, line := range lines[:peers+2] {
		if got, want := strings.Count(line, "|"), strings.Count(lines[0], "|"); got != want {
			t.Errorf("line %d of the Markdown table has %d bars, the first %d: %s", i+1, got, want, line)
		}
	}
}

// TestOrder: a peer that is not in the list would stand before the yardstick.
func TestOrder(t *testing.T) {
	for _, p := range peers {
		if !slices.Contains(inOrder, p.name) {
			t.Errorf("%s has no place in the report", p.name)
		}
	}
	if peers[0] != rawUnix {
		t.Errorf("ratios refer to %s", peers[0].name)
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-peers", "pigeon"}, {"-callers", "0"}, {"-callers", "1,x"}, {"-callers", "5000"},
		{"-payloads", "99"}, {"-payloads", "9999999"}, {"now"}, {"-from", "/nonexistent"},
		{"-mode", "dreams"}, {"-subscribers", "0"}, {"-publishers", "x"},
	} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestModesOf(t *testing.T) {
	for _, x := range []struct {
		payload int
		callers []int
		want    string
	}{
		{100, []int{1, 16, 256}, "1 16 256 256slow"},
		{100, []int{1}, "1"},
		{10 << 10, []int{1, 16, 256}, "1 16 256"},
		{1 << 20, []int{1, 16, 256}, "1 16"},
	} {
		var got []string
		for _, m := range modesOf(x.payload, x.callers) {
			name := strconv.Itoa(m.callers)
			if m.slow {
				name += "slow"
			}
			got = append(got, name)
		}
		if s := strings.Join(got, " "); s != x.want {
			t.Errorf("modes of %d bytes with %v callers: %s, want %s", x.payload, x.callers, s, x.want)
		}
	}
}

func TestPayloadOf(t *testing.T) {
	for _, n := range []int{100, 101, 10 << 10, 1 << 20} {
		p := payloadOf(n)
		var v struct {
			OrderID int
			Note    string
		}
		if err := json.Unmarshal(p, &v); err != nil || len(p) != n || v.OrderID != 456 || !strings.HasPrefix(v.Note, "parcel") {
			t.Errorf("payload of %d bytes: %d bytes, %.120q, %v", n, len(p), p, err)
		}
	}
}

func TestSameAs(t *testing.T) {
	for _, n := range []int{100, 10 << 10} {
		p := payloadOf(n)
		for _, at := range []int{0, n - 1} {
			other := bytes.Clone(p)
			other[at]++
			if sameAs(other, p) {
				t.Errorf("%d bytes: a reply that differs at %d is taken for the payload", n, at)
			}
		}
		if !sameAs(bytes.Clone(p), p) || sameAs(p[1:], p) || sameAs(nil, p) {
			t.Errorf("%d bytes: the payload is not told from what is not", n)
		}
	}
}

func TestChildRefuses(t *testing.T) {
	for _, args := range [][]string{{}, {roleServe, "pigeon", "", ""}, {roleServe, "grpc-js", "", ""}} {
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

// TestUsage: what is not known of one process is not known of several.
func TestUsage(t *testing.T) {
	known, unknown := usage{CPU: 1, RSS: 2, Mallocs: new(uint64(3))}, usage{CPU: 10, RSS: 20}
	if sum := known.plus(known); sum.CPU != 2 || sum.RSS != 4 || *sum.Mallocs != 6 {
		t.Errorf("sum %+v", sum)
	}
	if sum := known.plus(unknown); sum.CPU != 11 || sum.RSS != 22 || sum.Mallocs != nil {
		t.Errorf("sum %+v", sum)
	}
	if u := usageNow(); *u.Mallocs == 0 || runtime.GOOS == "linux" && (u.CPU <= 0 || u.RSS <= 0) {
		t.Errorf("used so far: %+v", u)
	}
}

func TestPossible(t *testing.T) {
	for _, x := range []struct{ wanted, descriptors, conns int }{{10_000, 20_000, 10_000}, {10_000, 1024, 824}, {5, 100, 1}} {
		conns, short := possible(x.wanted, x.descriptors)
		if conns != x.conns || (short == "") != (conns == x.wanted) {
			t.Errorf("%d connections with %d descriptors: %d, %q", x.wanted, x.descriptors, conns, short)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	one, other := recorder{to: &h}, recorder{to: &h}
	for i := range 100_000 { // 0.1 µs to 10 ms, evenly
		d := time.Duration(i+1) * 100
		if i%2 == 0 {
			one.add(d)
		} else {
			other.add(d)
		}
	}
	one.flush()
	other.flush()
	if h.total != 100_000 {
		t.Errorf("%d readings, want 100,000", h.total)
	}
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
