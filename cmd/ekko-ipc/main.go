// Command ekko-ipc calls services, listens to their events, looks at what they
// promise, and runs scripts that import them.
//
// It is made for two readers at once: a person at a terminal gets aligned,
// coloured text, and a program at the other end of a pipe gets one JSON text
// per line. "ekko-ipc help" is the manual; "ekko-ipc help exit-codes" says
// what a script may rely on.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := withSignals(context.Background())
	c := newCLI(os.Stdin, os.Stdout, os.Stderr)
	status := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// The causes of a context that a signal has ended.
var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("terminated")
)

// withSignals returns a context that ends at the first SIGINT, SIGTERM or
// SIGHUP, with the cause that says which (the last two mean the same). A second signal kills the process as if nobody
// listened, for whoever has lost patience with an orderly end.
//
// The goroutine ends with the first signal or with stop, whichever is earlier.
func withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case sig := <-signals:
			signal.Stop(signals)
			if sig != os.Interrupt {
				cancel(errTerminated)
			}
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// signalled returns the signal's error if one has ended ctx, else nil.
func signalled(ctx context.Context) error {
	if cause := context.Cause(ctx); cause == errInterrupted || cause == errTerminated {
		return cause
	}
	return nil
}
