package registry

import "path/filepath"

// systemDir is where an administrator puts manifests for all users.
func systemDir(getenv func(string) string) string {
	data := getenv("ProgramData")
	if data == "" {
		data = `C:\ProgramData`
	}
	return filepath.Join(data, "ekko", "ipc")
}
