//go:build !unix

package place

import (
	"errors"
	"io/fs"
	"os"
)

// Check makes the directory if it is to. Who may do what in it is not asked:
// that of the user's profile is closed to others.
func (r Rule) Check(dir string) error {
	if r.Create {
		if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	st, err := os.Lstat(dir)
	if err == nil && !st.IsDir() {
		err = &Fault{dir, "is not a directory"}
	}
	return err
}

// Sync does nothing: directories cannot be synchronized here, and the file
// system's journal keeps the order of what happens to names.
func Sync(string) error { return nil }
