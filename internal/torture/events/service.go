//go:build linux

package events

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/store/disk"
)

// serviceConfig is what a service process is told.
type serviceConfig struct {
	Address string
	Store   string // the directory of the store; "": nothing is kept
	Plant   Plant
}

// runService serves until it is told to end, by SIGTERM or by the end of
// stdin.
func runService(cfg serviceConfig) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go stage.EndWithStdin(stop)
	text := plainManifest()
	opts := &ipc.ServiceOptions{Logger: quiet, Ready: func([]string) { fmt.Println("ready") }}
	if cfg.Store != "" {
		text = keptManifest()
		s, err := disk.Open(cfg.Store, nil)
		if err != nil {
			return err
		}
		defer s.Close()
		opts.Store = store.Store(s)
		if cfg.Plant.inStore() {
			opts.Store = &faultyStore{Store: s, plant: cfg.Plant}
		}
	}
	m, err := ipc.ParseManifest(text)
	if err != nil {
		return err
	}
	return ipc.NewService(m, opts).Serve(ctx, cfg.Address)
}
