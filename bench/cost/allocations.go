package main

import (
	"os"
	"path/filepath"
	"testing"
)

// countAllocations returns what a call of p allocates at both ends together.
func countAllocations(p path) (int, error) {
	dir, err := os.MkdirTemp("", "ekko-ipc-cost-") // 0700
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	c, end, err := open("unix:" + filepath.Join(dir, "cost.sock"))
	if err != nil {
		return 0, err
	}
	defer end()
	var failed error
	n := testing.AllocsPerRun(2000, func() {
		if err := p.call(c); err != nil {
			failed = err
		}
	})
	return int(n), failed
}
