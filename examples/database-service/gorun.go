package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// underGoRun returns a context that also ends with the command "go run", if
// that is what started the process: it does not pass SIGTERM on, and would
// leave the service behind.
func underGoRun(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	parent := os.Getppid()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", parent))
	if err != nil || strings.TrimSpace(string(name)) != "go" {
		return ctx, stop
	}
	go func() {
		defer stop()
		for tick := time.NewTicker(100 * time.Millisecond); os.Getppid() == parent; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	}()
	return ctx, stop
}
