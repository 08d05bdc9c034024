package disk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"

	"github.com/ekkojs/ipc/store"
)

// state is what of a log changes seldom. Its file is a line with a version
// and a checksum, and JSON; it is replaced as a whole.
type state struct {
	Name   string       `json:"name"` // of the log, quoted
	Epoch  string       `json:"epoch"`
	Salt   salt         `json:"salt"`
	Losses []store.Loss `json:"losses"`
}

const (
	stateHead = "ekko-ipc log 1 %08x\n"
	maxState  = 1 << 20
)

func newEpoch() string { return strconv.FormatUint(rand.Uint64(), 36) }

// readState reports whether there is a state that can be read.
func readState(fsys fileSystem, path string) (state, bool, error) {
	b, err := readAll(fsys, path, maxState)
	if notThere(err) {
		return state{}, false, nil
	}
	if err != nil {
		return state{}, false, err
	}
	var sum uint32
	head, text, found := bytes.Cut(b, []byte("\n"))
	if !found {
		return state{}, false, nil
	}
	if _, err := fmt.Sscanf(string(head)+"\n", stateHead, &sum); err != nil || sum != crc32.Checksum(text, castagnoli) {
		return state{}, false, nil
	}
	var s state
	if json.Unmarshal(text, &s) != nil || s.Epoch == "" {
		return state{}, false, nil
	}
	return s, true, nil
}

func (s *state) write(fsys fileSystem, path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return replace(fsys, path, append(fmt.Appendf(nil, stateHead, crc32.Checksum(text, castagnoli)), text...))
}
