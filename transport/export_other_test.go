//go:build !linux

package transport

// NoQuietForTest has nothing to do here.
func NoQuietForTest() (again func()) { return func() {} }

// NoSpinForTest has nothing to do here.
func NoSpinForTest() (again func()) { return func() {} }
