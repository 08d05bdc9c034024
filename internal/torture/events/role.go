//go:build linux

package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
)

// roleEnv holds what a process is to do; it is set by those that start it.
const roleEnv = "EKKO_IPC_EVENTS_TORTURE"

// program is what stands in roleEnv. One of them is set.
type program struct {
	Service     *serviceConfig   `json:",omitempty"`
	Publisher   *publisherConfig `json:",omitempty"`
	Members     *membersConfig   `json:",omitempty"`
	Reader      *readerConfig    `json:",omitempty"`
	Spout       *spoutConfig     `json:",omitempty"`
	PlainReader *plainConfig     `json:",omitempty"`
}

// called says that Main was. A program that does not call it would, started
// again, do the same as before, and start itself again.
var called bool

var errMain = errors.New("events: the program does not call Main before it tortures events")

// Main is called first thing by the programs that torture events: it makes the
// process what it was started to be, and then does not return.
func Main() {
	called = true
	text := os.Getenv(roleEnv)
	if text == "" {
		return
	}
	var p program
	err := json.Unmarshal([]byte(text), &p)
	switch {
	case err != nil:
	case p.Service != nil:
		err = runService(*p.Service)
	case p.Publisher != nil:
		err = runPublisher(*p.Publisher)
	case p.Members != nil:
		err = runMembers(*p.Members)
	case p.Reader != nil:
		err = runReader(*p.Reader)
	case p.Spout != nil:
		err = runSpout(*p.Spout)
	case p.PlainReader != nil:
		err = runPlainReader(*p.PlainReader)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "events:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

var quiet = slog.New(slog.DiscardHandler)
