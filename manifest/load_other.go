//go:build !unix

package manifest

import "os"

func openFile(path string) (*os.File, error) { return os.Open(path) }

// trusted asks nothing where files have no owner and mode in the Unix sense.
func trusted(os.FileInfo, string) error { return nil }

// CheckDir succeeds: where directories have no owner and mode in the Unix
// sense, their access control lists are for the administrator to judge.
func CheckDir(string) error { return nil }
