package main

import (
	"os"
	"path/filepath"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store/disk"
)

// stateVariable names the folder that holds what services keep.
const stateVariable = "EKKO_IPC_STATE_DIR"

// keepIn returns what gives the services of a script a store, if they have
// channels that outlive them: in a folder of each in state, or where such things
// are kept on this system if state is empty.
func keepIn(state string) func(m *ipc.Manifest, o *ipc.ServiceOptions) (done func() error, err error) {
	return func(m *ipc.Manifest, o *ipc.ServiceOptions) (func() error, error) {
		if !persists(m) {
			return nil, nil
		}
		folder, err := stateFolder(state, m.Service.Name)
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
			return nil, ipc.Errorf(ipc.CodeInternal, "the folder for what %s keeps: %w", m.Service.Name, err)
		}
		kept, err := disk.Open(folder, nil)
		if err != nil {
			return nil, err
		}
		o.Store = kept
		return kept.Close, nil
	}
}

func stateFolder(state, service string) (string, error) {
	if state == "" {
		state = os.Getenv(stateVariable)
	}
	if state != "" {
		return filepath.Join(state, service), nil
	}
	return disk.DefaultDir(service)
}

// persists reports whether a channel outlives its service.
func persists(m *ipc.Manifest) bool {
	for _, name := range m.ChannelNames() {
		if m.ChannelByName(name).Persistent {
			return true
		}
	}
	return false
}
