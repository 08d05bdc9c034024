package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// usageNow reads what this process has used so far.
func usageNow() usage {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{
		CPU:     time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds(),
		RSS:     residentKiB("self"),
		Mallocs: &m.Mallocs,
	}
}

// usageOf reads what another process has used so far, in ticks of 10 ms. It
// allocates nothing that is counted here.
func usageOf(pid int) usage {
	const ticks = 100 // a second: the kernel's unit in this file on every system that Go runs on
	u := usage{RSS: residentKiB(strconv.Itoa(pid)), Mallocs: new(uint64(0))}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	_, text, _ = bytes.Cut(text, []byte(") ")) // a name may hold anything
	fields := bytes.Fields(text)
	for _, i := range []int{11, 12} { // utime and stime, counted from the state
		if i < len(fields) {
			n, _ := strconv.ParseUint(string(fields[i]), 10, 64)
			u.CPU += float64(n) / ticks
		}
	}
	return u
}

// residentKiB returns the resident memory of a process, "self" for this one.
func residentKiB(pid string) int64 {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte("\nVmRSS:"))
	line, _, _ := bytes.Cut(rest, []byte("kB"))
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	return n
}

// raiseFileLimit lets this process, and what it starts, have as many
// descriptors as the system lets anybody have. The runtime does so too, but
// takes it back for the programs that a process starts.
func raiseFileLimit() {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) == nil {
		r.Cur = r.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r)
	}
}

// fileLimit is how many descriptors a process can have after that.
func fileLimit() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil || r.Max > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(r.Max)
}
