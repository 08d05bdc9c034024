package disk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
)

// The roster is the names of the cursors there are: a line with a version and
// a checksum, and JSON. It is replaced as a whole.
const (
	rosterHead = "ekko-ipc cursors 1 %08x\n"
	maxRoster  = 1 << 20
)

// readRoster returns the names, none if there are none or they are damaged.
func readRoster(fsys fileSystem, path string) (names []string, err error) {
	b, err := readAll(fsys, path, maxRoster)
	if notThere(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var sum uint32
	head, text, _ := bytes.Cut(b, []byte("\n"))
	if _, err := fmt.Sscanf(string(head)+"\n", rosterHead, &sum); err != nil || sum != crc32.Checksum(text, castagnoli) {
		return nil, nil
	}
	var quoted []string
	if json.Unmarshal(text, &quoted) != nil {
		return nil, nil
	}
	for _, q := range quoted {
		name, err := strconv.Unquote(q)
		if err != nil {
			return nil, nil
		}
		names = append(names, name)
	}
	return names, nil
}

func writeRoster(fsys fileSystem, path string, names []string) error {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.QuoteToASCII(name) // JSON knows no other bytes than UTF-8
	}
	text, err := json.Marshal(quoted)
	if err != nil {
		return err
	}
	return replace(fsys, path, append(fmt.Appendf(nil, rosterHead, crc32.Checksum(text, castagnoli)), text...))
}
