//go:build linux

// Run tortures services with calls, events and faults, and prints what came
// of each part in one line; contradictions come before it, with what they rest
// on. See internal/torture and internal/torture/events.
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
	"github.com/ekkojs/ipc/internal/torture/events"
)

var (
	calls    = flag.Int("calls", 500_000, "how many calls to make; 0 leaves that part out")
	messages = flag.Int("messages", 1_000_000, "how many events that are kept to publish; 0 leaves that part out")
	kills    = flag.Int("kills", 200, "how often to kill the service that keeps events")
	plain    = flag.Int("plain", 10_000_000, "how many events that are not kept to publish; 0 leaves that part out")
	seed     = flag.Uint64("seed", uint64(time.Now().UnixNano())>>20, "where everything random begins")
	limit    = flag.Duration("limit", 5*time.Minute, "the time after which no more calls are made, or events published")
	clients  = flag.Int("clients", 3, "how many client processes of calls there are at a time")
	verbose  = flag.Bool("v", false, "tell of each fault, and of what came of each method and reader")
)

func main() {
	torture.Main()
	events.Main()
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(os.Stderr, "seed %d\n", *seed) // also if there is no end
	worst := 0
	for _, part := range []struct {
		wanted bool
		run    func(context.Context) int
	}{{*calls > 0, ofCalls}, {*plain > 0, ofPlain}, {*messages > 0, ofKept}} {
		if part.wanted && ctx.Err() == nil {
			worst = max(worst, part.run(ctx))
		}
	}
	os.Exit(worst)
}

// log tells of faults.
func log() func(string, ...any) {
	if !*verbose {
		return nil
	}
	return func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
}

// verdict is how the command ends for one part: 1 if something is wrong, 2 if
// too little was done.
func verdict(err error, contradictions, done, wanted int, what string) int {
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	case contradictions > 0:
		return 1
	case done < wanted:
		fmt.Fprintf(os.Stderr, "torture: only %d of %d %s in %s\n", done, wanted, what, *limit)
		return 2
	}
	return 0
}

func ofCalls(ctx context.Context) int {
	report, err := torture.Run(ctx, torture.Config{Calls: *calls, Seed: *seed, Limit: *limit, Clients: *clients, Log: log()})
	if report == nil {
		return verdict(err, 0, 0, 0, "")
	}
	fmt.Fprint(os.Stderr, report.Explain(5))
	if *verbose {
		fmt.Fprint(os.Stderr, report.Methods())
	}
	fmt.Println(report)
	return verdict(err, len(report.Contradictions), report.Calls, *calls, "calls were made")
}

func ofKept(ctx context.Context) int {
	report, err := events.Kept(ctx, events.Config{Messages: *messages, Kills: *kills, Seed: *seed, Limit: *limit, Log: log()})
	if report == nil {
		return verdict(err, 0, 0, 0, "")
	}
	fmt.Fprint(os.Stderr, report.Explain(5))
	if *verbose {
		fmt.Fprint(os.Stderr, report.Table())
	}
	fmt.Println(report)
	return max(verdict(err, len(report.Contradictions), report.Acknowledged, *messages, "events were acknowledged"),
		verdict(nil, 0, report.Kills, *kills, "kills were made"))
}

func ofPlain(ctx context.Context) int {
	report, err := events.Plain(ctx, events.PlainConfig{Events: *plain, Seed: *seed, Limit: *limit, Log: log()})
	if report == nil {
		return verdict(err, 0, 0, 0, "")
	}
	fmt.Fprint(os.Stderr, report.Explain(5))
	if *verbose {
		fmt.Fprint(os.Stderr, report.Table())
	}
	fmt.Println(report)
	return verdict(err, len(report.Contradictions), report.Sent, *plain, "events were published")
}
