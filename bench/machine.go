package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A machine is where and when the figures were taken.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	MemGiB int    `json:"mem_gib,omitempty"`
	System string `json:"system"`
	Go     string `json:"go"`
	Date   string `json:"date"`
}

func thisMachine() machine {
	var kib int
	fmt.Sscan(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), "kB"), &kib)
	return machine{
		CPU:    field("/proc/cpuinfo", "model name"),
		Cores:  runtime.NumCPU(),
		MemGiB: kib >> 20,
		System: strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + kernel()),
		Go:     runtime.Version(),
		Date:   time.Now().UTC().Format(time.DateOnly),
	}
}

// String describes the machine in one line.
func (m machine) String() string {
	cpu := m.CPU
	if cpu == "" {
		cpu = "unnamed CPU"
	}
	return fmt.Sprintf("%s, %d cores, %d GiB, %s, %s, %s", cpu, m.Cores, m.MemGiB, m.System, m.Go, m.Date)
}

// kernel returns the first two numbers of the kernel's version: what follows
// is the distributor's.
func kernel() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	numbers := strings.SplitN(strings.TrimSpace(string(text)), ".", 3)
	return strings.Join(numbers[:min(2, len(numbers))], ".")
}

// field returns what stands behind "name:" in a file of such lines.
func field(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// versionOf returns the version of a module that this program is built with;
// empty for the standard library.
func versionOf(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok || module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}
