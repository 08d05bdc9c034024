//go:build !solo || ipc

package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/store/disk"
)

// What keeps the events of persistent channels, by itself, and a client that
// publishes to a service that has it.
func init() {
	open := func(dir string) (store.Store, error) { return disk.Open(filepath.Join(dir, "store"), nil) }
	registerDurable(ofStore("ipc-store", open))
	registerDurable(&durablePeer{
		name:    "ipc",
		program: "ipc",
		vault: func(dir string) (string, error) {
			s, err := open(dir)
			if err != nil {
				return "", err
			}
			_, err = startEkkoAs(keptManifest, dir, &ipc.ServiceOptions{Store: s})
			return dir, err
		},
		open: func(_, dir string) (keeper, error) {
			c, err := ipc.Dial(context.Background(), ekkoName, tickOptions(dir))
			return clientKeeper{c}, err
		},
	})
}

// keptManifest is ekkoManifest with a channel that keeps the event.
var keptManifest = strings.Replace(ekkoManifest, `"events": {`, `"channels": {"ticks": {"persistent": true, "events": ["tick"]}},
	"events": {`, 1)

// clientKeeper waits for the service's receipt.
type clientKeeper struct{ c *ipc.Client }

func (k clientKeeper) keep(data []byte) error {
	_, err := k.c.PublishWith(context.Background(), tickName, ipc.Raw(data), nil)
	return err
}
