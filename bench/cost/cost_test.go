package main

import (
	"strings"
	"testing"
)

// TestPaths makes calls of each path as the counted program does. The counts
// themselves are taken by the program, so that they can be seen.
func TestPaths(t *testing.T) {
	for _, p := range paths {
		if err := makeCalls(p.name, 10); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
	if err := makeCalls("sideways", 1); err == nil {
		t.Error("no error for an unknown path")
	}
}

// TestLimitsNamePaths: a path without a limit would be held to nothing.
func TestLimitsNamePaths(t *testing.T) {
	l, err := readLimits()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		if c := l[p.name]; c.Allocations == 0 || c.Instructions == 0 {
			t.Errorf("limits.json has no limit for %s: %+v", p.name, c)
		}
	}
	if len(l) != len(paths) {
		t.Errorf("limits.json has limits for %d paths, there are %d", len(l), len(paths))
	}
}

func TestCompare(t *testing.T) {
	limit := cost{6, 10_300}
	for _, x := range []struct {
		counted cost
		ok      bool
		says    string
	}{
		{cost{6, 10_000}, true, "10000 instructions a call, limit 10300"},
		{cost{7, 10_000}, false, "TOO MANY"},
		{cost{6, 10_301}, false, "TOO MANY"},
		{cost{5, 10_000}, true, "-update"},
		{cost{6, 9_000}, true, "-update"},
		{cost{6, 0}, true, "6 allocations a call, limit 6"},
	} {
		line, ok := x.counted.compare("some", limit)
		if ok != x.ok || !strings.Contains(line, x.says) {
			t.Errorf("%+v: %q, %v", x.counted, line, ok)
		}
		if strings.Contains(line, "-update") != (x.says == "-update") {
			t.Errorf("%+v: %q", x.counted, line)
		}
	}
	if got := (cost{6, 10_000}).allow(); got != limit {
		t.Errorf("allow = %+v", got)
	}
}

func TestTotalOf(t *testing.T) {
	n, err := totalOf("==1== Cachegrind\n==1== \n==1== I   refs:      62,504,607\n")
	if n != 62_504_607 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := totalOf("==1== killed"); err == nil {
		t.Error("no error for no number")
	}
}
