//go:build linux

package torture

import (
	"encoding/json"
	"fmt"
	"os"
)

// roleEnv holds what a process is to do; it is set by Run for those that it
// starts.
const roleEnv = "EKKO_IPC_TORTURE"

// role is what stands in roleEnv. One of the two is set.
type role struct {
	Service *serviceConfig `json:",omitempty"`
	Client  *clientConfig  `json:",omitempty"`
}

// Main is called first thing by the programs that call Run: it makes the
// process a service or a client if Run has started it to be one, and then
// does not return.
func Main() {
	text := os.Getenv(roleEnv)
	if text == "" {
		return
	}
	var r role
	err := json.Unmarshal([]byte(text), &r)
	switch {
	case err != nil:
	case r.Service != nil:
		err = runService(*r.Service)
	case r.Client != nil:
		err = runClient(*r.Client)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
