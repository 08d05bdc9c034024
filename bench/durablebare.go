package main

import (
	"os"
	"path/filepath"
)

// The limit of what is kept: write, fdatasync, and again. With n publishers
// it is what the best of servers could do: n pieces at once.
func init() {
	registerDurable(&durablePeer{
		name:    "fdatasync",
		program: "raw",
		open: func(dir, _ string) (keeper, error) {
			f, err := os.Create(filepath.Join(dir, "bare"))
			return &bareFile{f: f}, err
		},
	})
}

type bareFile struct {
	f *os.File
	b []byte
}

func (k *bareFile) keep(data []byte) error { return k.keepAll([][]byte{data}) }

func (k *bareFile) keepAll(pieces [][]byte) error {
	k.b = k.b[:0]
	for _, p := range pieces {
		k.b = append(k.b, p...)
	}
	if _, err := k.f.Write(k.b); err != nil {
		return err
	}
	return dataSync(k.f)
}
