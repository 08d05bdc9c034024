//go:build !solo || ipc

package main

import (
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/store/disk"
)

// What keeps the events of persistent channels, by itself.
func init() {
	registerDurable(ofStore("ipc-store", func(dir string) (store.Store, error) { return disk.Open(dir, nil) }))
}
