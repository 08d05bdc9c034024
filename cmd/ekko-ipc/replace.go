package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
)

// replaceFile gives a file this text, all at once, so that a compiler that
// looks at the moment sees the old one or the new one. A file that has the text
// already is not touched.
func replaceFile(path string, text []byte) (changed bool, err error) {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return false, nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // what a link leads to is replaced, not the link
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ekko-ipc-*")
	if err != nil {
		return false, err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return false, err
	}
	return true, nil
}
