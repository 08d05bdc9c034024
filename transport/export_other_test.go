//go:build !linux

package transport

// NoQuietForTest has nothing to do here.
func NoQuietForTest() (again func()) { return func() {} }
