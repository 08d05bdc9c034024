package registry

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ekkojs/ipc/transport"
)

// EnvPath is the environment variable that replaces the search path: a list
// of directories, separated as in PATH.
const EnvPath = "EKKO_IPC_PATH"

// maxDirs bounds the search path, so that an environment variable cannot make
// each lookup arbitrarily slow. What is beyond is ignored.
const maxDirs = 64

// SearchPath returns the directories that are searched for manifests, in
// order, as absolute paths. They need not exist.
func (r *Registry) SearchPath() []string {
	dirs := r.options.Dirs
	if dirs == nil {
		if list := r.options.Getenv(EnvPath); list != "" {
			dirs = filepath.SplitList(list)
		} else {
			dirs = r.defaultDirs()
		}
	}
	var out []string
	for _, dir := range dirs {
		if dir == "" || len(out) == maxDirs {
			continue
		}
		if dir = r.absolute(dir); dir != "" && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}

func (r *Registry) defaultDirs() []string {
	dirs := []string{".", "ipc", filepath.Join(".ekko", "ipc"), "services"}
	if home := r.home(); home != "" {
		dirs = append(dirs, filepath.Join(home, ".ekko", "ipc"), filepath.Join(home, ".ekkojs", "ipc"))
	}
	return append(dirs, systemDir(r.options.Getenv))
}

// mappingPaths returns where a mapping file may be, in order.
func (r *Registry) mappingPaths() []string {
	var paths []string
	if here := r.absolute(mappingName); here != "" {
		paths = append(paths, here)
	}
	if home := r.home(); home != "" {
		paths = append(paths, filepath.Join(home, ".ekko", mappingName))
	}
	return slices.Compact(paths)
}

// Dirs returns each directory in which Resolve and List look for files, as an
// absolute path: the search path, those of the mapping files, and the runtime
// directory. They need not exist.
func (r *Registry) Dirs() []string {
	dirs := r.SearchPath()
	for _, path := range r.mappingPaths() {
		dirs = append(dirs, filepath.Dir(path))
	}
	if dir, err := transport.RuntimeDir(); err == nil {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// Reads reports whether a file of that name is looked at in one of Dirs: a
// manifest, a mapping file or a socket.
func Reads(name string) bool {
	return isManifest(name) || name == mappingName || strings.HasSuffix(name, socketSuffix)
}

// home returns the home directory, or "" if there is none.
func (r *Registry) home() string {
	if r.options.HomeDir != "" {
		return r.options.HomeDir
	}
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return ""
	}
	return home
}

// absolute returns path, from the working directory on if it is relative. It
// is "" if the working directory is not known.
func (r *Registry) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	work := r.options.WorkDir
	if work == "" {
		var err error
		if work, err = os.Getwd(); err != nil {
			return ""
		}
	}
	return filepath.Join(work, path)
}
