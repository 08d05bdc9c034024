//go:build !linux

package disk

import "os"

// syncData makes certain what a file holds; on macOS with the command that
// makes the drive write out its cache too.
func syncData(f *os.File) error { return f.Sync() }
