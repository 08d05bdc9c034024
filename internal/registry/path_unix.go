//go:build !windows

package registry

// systemDir is where an administrator puts manifests for all users.
func systemDir(func(string) string) string { return "/etc/ekko/ipc" }
