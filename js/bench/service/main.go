// Command service is what js/bench measures against: it echoes, and publishes
// as many events as it is asked for.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/ekkojs/ipc"
)

const promise = `{
  "service": { "name": "bench", "transport": { "type": "unix", "address": "bench" } },
  "methods": { "echo": {}, "flood": { "parameters": [{ "name": "events", "type": "integer" }] } },
  "events": { "tick": {}, "over": {} }
}`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	promised, err := ipc.ParseManifest([]byte(promise))
	if err == nil {
		err = run(ctx, promised)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, promised *ipc.Manifest) error {
	service := ipc.NewService(promised, &ipc.ServiceOptions{Ready: func([]string) { fmt.Println("ready") }})
	ipc.Handle(service, "echo", func(_ context.Context, data ipc.Raw) (ipc.Raw, error) { return data, nil })
	service.Handle("flood", func(ctx context.Context, r *ipc.Request) (any, error) {
		var events int
		if err := r.Decode(&events); err != nil {
			return nil, err
		}
		data := ipc.Raw(`{"text":"` + strings.Repeat("x", 80) + `"}`)
		for range events {
			if err := service.Publish(ctx, "tick", data); err != nil {
				return nil, err
			}
		}
		return nil, service.Publish(ctx, "over", nil)
	})
	return service.Serve(ctx)
}
