package disk_test

import (
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/store/disk"
	"github.com/ekkojs/ipc/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Store {
		s, err := disk.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}, storetest.Options{Persistent: true})
}
