package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store/disk"
)

// keeper is a service without methods, which carries the events of its
// manifest, and keeps them in a folder where they are persistent. The channel
// "prices", if there is one, has a snapshot.
//
//	keeper MANIFEST FOLDER
func keeper() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serveKeeper(ctx, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "keeper:", err)
		os.Exit(1)
	}
}

func serveKeeper(ctx context.Context, path, folder string) error {
	promise, err := ipc.LoadManifest(path)
	if err != nil {
		return err
	}
	kept, err := disk.Open(folder, nil)
	if err != nil {
		return err
	}
	defer kept.Close()
	service := ipc.NewService(promise, &ipc.ServiceOptions{
		Store: kept,
		Ready: func(addresses []string) { fmt.Println("ready at", addresses[0]) },
	})
	if promise.ChannelByName("prices") != nil {
		service.HandleSnapshot("prices", func(context.Context, ipc.Caller) (any, ipc.Cursor, error) {
			return map[string]int{"tea": 3}, service.Next("prices"), nil
		})
	}
	return service.Serve(ctx)
}
