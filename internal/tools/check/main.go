// Check runs everything that this repository is held to, one step after the
// other, and ends with the numbers:
//
//	check                 all steps
//	check lint            the steps that run nothing of ours
//	check race fuzz       these two
//	check -list           what the steps are
//
// It goes on after a step has failed, so that one run shows all that is wrong.
// It expects to be started in the root of the repository; the Makefile does.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := check(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(code)
}

func check(ctx context.Context, args []string, out io.Writer) int {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	fs.SetOutput(out)
	list := fs.Bool("list", false, "list the steps and do nothing")
	r := &runner{out: out, tally: newTally()}
	fs.DurationVar(&r.fuzzTime, "fuzztime", 5*time.Second, "how long the step fuzz stays with each target")
	fs.StringVar(&r.fuzzOnly, "fuzz", "", "the step fuzz runs only targets whose name contains this")
	fs.BoolVar(&r.fresh, "fresh", os.Getenv("CI") != "", "run tests even if nothing has changed since they passed")
	fs.BoolVar(&r.allRuntimes, "runtimes", false, "the step js runs all that can be run in all runtimes")
	fs.BoolVar(&r.bench, "bench", false, "install what make bench needs, and do nothing else")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if *list {
		for _, s := range steps {
			fmt.Fprintf(out, "%-12s %s\n", s.name, s.about)
		}
		return 0
	}
	if r.bench {
		if err := setUp(ctx, r); err != nil {
			fmt.Fprintln(out, "check:", err)
			return 1
		}
		return 0
	}
	chosen, err := choose(fs.Args())
	if err != nil {
		fmt.Fprintln(out, "check:", err)
		return 2
	}
	return r.run(ctx, chosen)
}

// A runner carries what the steps share.
type runner struct {
	out      io.Writer
	tally    *tally
	fuzzTime time.Duration
	fuzzOnly string
	fresh    bool
	bench    bool
	facts    *factTable // of the tests that run; nil: nobody asks

	allRuntimes bool
}

// run goes through the steps and returns the exit code.
func (r *runner) run(ctx context.Context, chosen []step) int {
	begin := time.Now()
	var took []string
	for _, s := range chosen {
		fmt.Fprintf(r.out, "== %s: %s\n", s.name, s.about)
		line, ok := r.one(ctx, s)
		fmt.Fprintln(r.out, line)
		took = append(took, line)
		if !ok && s.needed || ctx.Err() != nil {
			break
		}
	}
	fmt.Fprintf(r.out, "\n%s\n%s in all\n\n", strings.Join(took, "\n"), seconds(time.Since(begin)))
	if failed := r.tally.failures(); len(failed) > 0 {
		fmt.Fprintf(r.out, "failed:\n  %s\n\n", strings.Join(failed, "\n  "))
	}
	fmt.Fprintln(r.out, r.tally)
	if r.tally.count(failed) > 0 {
		return 1
	}
	return 0
}

// one runs a step and returns its line in the summary. A step that brings no
// tests of its own counts as one check.
func (r *runner) one(ctx context.Context, s step) (line string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, s.limit())
	defer cancel()
	begin, before := time.Now(), r.tally.count(failed)
	err := s.run(ctx, r)
	took := time.Since(begin)
	switch {
	case err == nil && ctx.Err() == nil:
	case ctx.Err() == context.DeadlineExceeded:
		err = fmt.Errorf("stopped after %s", seconds(s.limit()))
	case err == nil:
		err = ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(r.out, err)
	}
	if err != nil && r.tally.count(failed) == before {
		r.tally.add("check", s.name, failed)
	} else if err == nil && !s.tests {
		r.tally.add("check", s.name, passed)
	}
	ok = err == nil && r.tally.count(failed) == before
	word := map[bool]string{true: "ok  ", false: "FAIL"}[ok]
	return fmt.Sprintf("%s %-12s %8s", word, s.name, seconds(took)), ok
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
