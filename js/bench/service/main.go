// Command service is what js/bench measures against: it echoes, and publishes
// as many events as it is asked for.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/ekkojs/ipc"
)

//go:embed bench.ekko.ipc.json
var promise []byte

// tick is the data of an event: what calls echo, too.
const tick = `{"orderId":456,"customer":"Ada Lovelace","total":99.99,"items":["tea","rusk","jam"],"note":"parcel"}`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // who started it holds the other end of its input
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	promised, err := ipc.ParseManifest(promise)
	if err == nil {
		err = run(ctx, promised)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, promised *ipc.Manifest) error {
	service := ipc.NewService(promised, &ipc.ServiceOptions{
		Ready:  func([]string) { fmt.Println(`{"addr":"bench"}`) },
		Logger: slog.New(slog.DiscardHandler), // the client counts the events that are lost
	})
	ipc.Handle(service, "echo", func(_ context.Context, value ipc.Raw) (ipc.Raw, error) { return value, nil })
	ipc.Handle(service, "flood", func(ctx context.Context, events int) (any, error) {
		for range events {
			if err := service.Publish(ctx, "tick", ipc.Raw(tick)); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	return service.Serve(ctx)
}
