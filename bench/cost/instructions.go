package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// canCountInstructions holds where limits.json has something to compare with.
const canCountInstructions = runtime.GOOS == "linux" && runtime.GOARCH == "amd64"

// fewCalls and manyCalls are what the two runs of a pair make; the start and
// the end of the process cost both the same.
const (
	fewCalls  = 1000
	manyCalls = 3000
	pairs     = 2
)

// countInstructions returns what a call of p executes at both ends together.
func countInstructions(p path) (int, error) {
	few, many := 0, 0
	for i := range pairs {
		a, err := executed(p, fewCalls)
		if err != nil {
			return 0, err
		}
		b, err := executed(p, manyCalls)
		if err != nil {
			return 0, err
		}
		if i == 0 {
			few, many = a, b
		}
		few, many = min(few, a), min(many, b)
	}
	return (many - few) / (manyCalls - fewCalls), nil
}

// executed starts this program under cachegrind to make n calls and returns
// how many instructions that took, from start to end.
func executed(p path, n int) (int, error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command("valgrind", "--tool=cachegrind", "--cache-sim=no", "--branch-sim=no",
		"--cachegrind-out-file="+os.DevNull, exe, "calls", p.name, strconv.Itoa(n))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s%w: %s", text, err, cmd)
	}
	return totalOf(string(text))
}

var total = regexp.MustCompile(`I +refs: +([0-9,]+)`)

// totalOf finds the number of instructions in what valgrind says.
func totalOf(text string) (int, error) {
	m := total.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("valgrind named no number of instructions: %s", text)
	}
	return strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
}

// makeCalls is the program that is counted: calls of a path over the
// transport in memory.
func makeCalls(name string, n int) error {
	p, err := pathNamed(name)
	if err != nil {
		return err
	}
	c, end, err := open("mem:cost")
	if err != nil {
		return err
	}
	defer end()
	for range n {
		if err := p.call(c); err != nil {
			return err
		}
	}
	return nil
}
