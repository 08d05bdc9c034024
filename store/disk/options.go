package disk

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ekkojs/ipc/wire"
)

// The defaults and bounds of Options.
const (
	DefaultSegmentBytes = 64 << 20
	MinSegmentBytes     = 1 << 20
	DefaultMaxWaiting   = 16 << 20
	MaxRecord           = 16 << 20 // bytes of one record, with all that belongs to it
)

// Options adjusts Open. A nil *Options means the defaults.
type Options struct {
	// SegmentBytes is how long a file of a log gets before the next one is
	// begun. It is at most an eighth of Limits.Bytes, so that what limits
	// remove leaves the medium in small steps, and at least MinSegmentBytes.
	// Default DefaultSegmentBytes.
	SegmentBytes int64

	// MaxWaiting bounds, in bytes, what waits to be written to one log, each
	// record with 256 bytes besides. What is appended beyond that is refused
	// at once with OVERLOADED: the medium is slower than its writers. One
	// record may always wait. Default DefaultMaxWaiting.
	MaxWaiting int64

	// unsafe forces nothing to the medium. Tests prove with it that they
	// would notice.
	unsafe bool

	// segment is the exact length of segments, for tests; 0: see above.
	segment int64

	// fs is what files are made of. Tests put something faulty there.
	fs fileSystem
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.SegmentBytes <= 0 {
		out.SegmentBytes = DefaultSegmentBytes
	}
	out.SegmentBytes = min(max(out.SegmentBytes, MinSegmentBytes), 1<<30)
	if out.MaxWaiting <= 0 {
		out.MaxWaiting = DefaultMaxWaiting
	}
	if out.fs == nil {
		out.fs = system{}
	}
	return out
}

// DefaultDir returns the directory for the logs of a service when nothing
// else is said, without making it: ekko-ipc/SERVICE in $XDG_STATE_HOME or
// ~/.local/state, in ~/Library/Application Support on macOS, in
// %LocalAppData% on Windows. The error is a *wire.Error.
func DefaultDir(service string) (string, error) {
	if service == "" || len(service) > 255 || service[0] == '.' || strings.ContainsFunc(service, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) {
		return "", wire.Errorf(wire.CodeInvalidName, "%q cannot name a directory: letters, digits, dots, - and _ can", service)
	}
	base, err := stateHome()
	if err != nil {
		return "", wire.Errorf(wire.CodeStorageUnavailable, "no directory for logs: %w", err)
	}
	return filepath.Join(base, "ekko-ipc", service), nil
}

func stateHome() (string, error) {
	if runtime.GOOS == "windows" {
		return os.UserCacheDir() // %LocalAppData%
	}
	if runtime.GOOS == "darwin" {
		return os.UserConfigDir() // ~/Library/Application Support
	}
	// As the specification has it, a path that is not absolute is ignored.
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state"), nil
}
