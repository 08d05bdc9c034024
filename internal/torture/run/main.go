//go:build linux

// Run tortures services with calls and faults, and prints what came of it in
// one line; contradictions come before it, with what they rest on. See
// internal/torture.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ekkojs/ipc/internal/torture"
)

func main() {
	torture.Main()
	calls := flag.Int("calls", 500_000, "how many calls to make")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "where everything random begins")
	limit := flag.Duration("limit", 5*time.Minute, "the time after which no more calls are made")
	clients := flag.Int("clients", 3, "how many client processes there are at a time")
	verbose := flag.Bool("v", false, "tell of each fault, and of what came of each method")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg := torture.Config{Calls: *calls, Seed: *seed, Limit: *limit, Clients: *clients}
	if *verbose {
		cfg.Log = func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	}
	fmt.Fprintf(os.Stderr, "seed %d\n", *seed) // also if there is no end
	report, err := torture.Run(ctx, cfg)
	if report != nil {
		fmt.Fprint(os.Stderr, report.Explain(5))
		if *verbose {
			fmt.Fprint(os.Stderr, report.Methods())
		}
		fmt.Println(report)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	case len(report.Contradictions) > 0:
		os.Exit(1)
	case report.Calls < *calls:
		fmt.Fprintf(os.Stderr, "torture: only %d of %d calls were made in %s\n", report.Calls, *calls, *limit)
		os.Exit(2)
	}
}
