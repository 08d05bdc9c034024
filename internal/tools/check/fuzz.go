package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// engineDir is where the JavaScript engine is compiled in. To fuzz anything
// there, all of the engine is compiled anew.
const engineDir = "./script"

// A fuzzTarget is a fuzz function and the folder of its package.
type fuzzTarget struct{ dir, name string }

// fuzz stays with each target for a while and counts each as a test. Their
// seeds run as ordinary tests anyway.
func fuzz(ctx context.Context, r *runner) error {
	targets, err := fuzzTargets(r.fuzzOnly)
	if err != nil {
		return err
	}
	var total int64
	for _, t := range targets {
		if t.dir == engineDir && r.fuzzTime < time.Minute {
			fmt.Fprintf(r.out, "left %-30s %-30s to make fuzz: building the engine for fuzzing takes minutes\n", t.dir, t.name)
			continue
		}
		execs, err := r.fuzzOne(ctx, t)
		if err != nil && ctx.Err() != nil {
			return err
		}
		total += execs
	}
	fmt.Fprintf(r.out, "%d targets, %d executions\n", len(targets), total)
	return nil
}

// fuzzTargets reads them from the sources, which is quicker than to link
// every test of the repository for asking.
func fuzzTargets(only string) (targets []fuzzTarget, err error) {
	files, err := goFiles()
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	for _, path := range files {
		dir, name := filepath.Split(path)
		match, err := build.Default.MatchFile("./"+dir, name)
		if err != nil {
			return nil, err
		}
		if !match || !strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && strings.HasPrefix(d.Name.Name, "Fuzz") && strings.Contains(d.Name.Name, only) {
				targets = append(targets, fuzzTarget{"./" + filepath.Clean(dir), d.Name.Name})
			}
		}
	}
	return targets, nil
}

var (
	execsLine = regexp.MustCompile(`(?m)^fuzz: elapsed: \S+, execs: (\d+) .*new interesting: (\d+) `)
	crashLine = regexp.MustCompile(`(?m)^ *Failing input written to `)
)

func (r *runner) fuzzOne(ctx context.Context, t fuzzTarget) (execs int64, err error) {
	c := inRoot("go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", r.fuzzTime.String(), "-fuzzminimizetime", "20x", t.dir)
	text, err := c.output(ctx)
	execs, found := progressOf(text)
	if err != nil && !crashLine.MatchString(text) && strings.Contains(text, "context deadline exceeded") {
		// The last input was under way when the time was over, which go test
		// reports as a failure of the target now and then (golang/go#75804).
		err = nil
	}
	if err != nil {
		r.tally.add(t.dir, t.name+" (fuzzed)", failed)
		fmt.Fprintf(r.out, "%sFAIL %s %s\n", ensureNewline(text), t.dir, t.name)
		return execs, errors.New(c.String() + ": " + err.Error())
	}
	r.tally.add(t.dir, t.name+" (fuzzed)", passed)
	fmt.Fprintf(r.out, "ok   %-30s %-30s %12d executions %6d new inputs\n", t.dir, t.name, execs, found)
	return execs, nil
}

// progressOf returns the executions and new inputs that go test last named.
func progressOf(text string) (execs, found int64) {
	if all := execsLine.FindAllStringSubmatch(text, -1); len(all) > 0 {
		fmt.Sscan(all[len(all)-1][1], &execs)
		fmt.Sscan(all[len(all)-1][2], &found)
	}
	return execs, found
}
