package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 3 && args[0] == "calls" {
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return makeCalls(args[1], n)
	}
	fs := flag.NewFlagSet("cost", flag.ContinueOnError)
	update := fs.Bool("update", false, "write the limits file anew from what is counted")
	file := fs.String("limits", "cost/limits.json", "the file that -update writes")
	if err := fs.Parse(args); err == flag.ErrHelp {
		return nil
	} else if err != nil {
		return err
	}
	allowed, err := readLimits()
	if err != nil {
		return err
	}
	counted, err := count()
	if err != nil {
		return err
	}
	if *update {
		for name, c := range counted {
			allowed[name] = c.allow()
		}
		if err := allowed.write(*file); err != nil {
			return err
		}
	}
	return report(out, counted, allowed)
}

// count counts all paths.
func count() (limits, error) {
	counted := limits{}
	for _, p := range paths {
		var c cost
		var err error
		if c.Allocations, err = countAllocations(p); err != nil {
			return nil, err
		}
		if canCountInstructions {
			if c.Instructions, err = countInstructions(p); err != nil {
				return nil, err
			}
		}
		counted[p.name] = c
	}
	return counted, nil
}

// report prints every count beside its limit.
func report(out io.Writer, counted, allowed limits) (err error) {
	for _, p := range paths {
		line, ok := counted[p.name].compare(p.name, allowed[p.name])
		fmt.Fprintln(out, line)
		if !ok {
			err = errors.New("a call costs more than limits.json allows; if that is meant, run cost -update and say why")
		}
	}
	if !canCountInstructions {
		fmt.Fprintln(out, "instructions are counted on linux/amd64 only")
	}
	return err
}
