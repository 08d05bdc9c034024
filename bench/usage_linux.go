package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"time"
)

// usageNow reads what this process has used so far.
func usageNow() usage {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds(), RSS: residentKiB()}
}

func residentKiB() (n int64) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "VmRSS: %d kB", &n); err == nil {
			return n
		}
	}
	return 0
}
