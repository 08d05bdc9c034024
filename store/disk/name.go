package disk

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
)

const (
	logPrefix     = "log." // so that no log is called as a device of Windows is
	segmentSuffix = ".seg"
	segmentDigits = 20
	longName      = 160 // of what a name becomes; file systems take 255
)

// dirName is the directory of a log: its name, with all that some file system
// gives a meaning to as %XX. Of a long name it is the beginning and a hash;
// the whole name stands in the log's state file.
func dirName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i < len(name)-1:
			b.WriteByte(c)
		default: // capitals too: not every file system knows them from others
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	escaped := b.String()
	if len(escaped) > longName {
		// No escaped name holds a plus sign, so no other name has this one.
		escaped = fmt.Sprintf("%s+%x", escaped[:longName/2], sha256.Sum256([]byte(name)))
	}
	return logPrefix + escaped
}

// segmentName is the file of the segment that begins with that number.
func segmentName(first uint64) string {
	return fmt.Sprintf("%0*d%s", segmentDigits, first, segmentSuffix)
}

// parseSegmentName is the inverse of segmentName.
func parseSegmentName(name string) (first uint64, ok bool) {
	digits, found := strings.CutSuffix(name, segmentSuffix)
	if !found || len(digits) != segmentDigits {
		return 0, false
	}
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, err == nil && first > 0
}
