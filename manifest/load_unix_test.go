//go:build unix

package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestF11_ModesAndOwners: a manifest is read exactly if nobody but its reader
// and root could have written it: all 512 modes, three owners.
func TestF11_ModesAndOwners(t *testing.T) {
	const stranger = 54321
	self := os.Geteuid()
	owners := []int{self}
	if self == 0 {
		owners = append(owners, stranger)
	}
	dir := t.TempDir()
	path := writeFile(t, dir, "shop.ekko.ipc.json", minimal, 0o600)
	for _, owner := range owners {
		if owner != self {
			if err := os.Chown(path, owner, owner); err != nil {
				t.Fatal(err)
			}
		}
		for mode := range os.FileMode(0o1000) {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			readable := self == 0 || mode&0o400 != 0
			switch trusted := owner == self && mode&0o022 == 0; {
			case !readable:
				if !errors.Is(err, os.ErrPermission) {
					t.Fatalf("mode %04o: %v", mode, err)
				}
			case trusted && err != nil:
				t.Fatalf("mode %04o, owner %d: %v", mode, owner, err)
			case !trusted && !errors.Is(err, ErrUntrusted):
				t.Fatalf("mode %04o, owner %d: %v", mode, owner, err)
			}
		}
	}
}

// TestF11_RootsFilesAreTrusted: what root wrote is read by everybody.
func TestF11_RootsFilesAreTrusted(t *testing.T) {
	for _, name := range []string{"/etc/passwd", "/etc/hosts"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o022 != 0 {
			continue
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 {
			continue
		}
		_, err = Load(name)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%s was not read: %v", name, err)
		}
	}
}

// TestF11_ErrorsSayWhatToDo: a refusal names the cause and the cure.
func TestF11_ErrorsSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	for mode, want := range map[os.FileMode]string{
		0o664: "not trusted: its group may change it (mode 0664): run chmod go-w ",
		0o646: "not trusted: everybody may change it (mode 0646): run chmod go-w ",
		0o666: "not trusted: its group and everybody may change it (mode 0666): run chmod go-w ",
	} {
		path := writeFile(t, dir, "shop.ekko.ipc.json", minimal, mode)
		_, err := Load(path)
		if err == nil || !strings.Contains(err.Error(), want+fmt.Sprintf("%q", path)) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	path := writeFile(t, dir, "other.ekko.ipc.json", minimal, 0o644)
	if err := os.Chown(path, 54321, -1); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if err == nil || !strings.Contains(err.Error(), "it belongs to uid 54321") || !strings.Contains(err.Error(), "chown 0 ") {
		t.Errorf("another owner: %v", err)
	}
}

// TestF11_OnlyRegularFiles: nothing else is read, and nothing is waited for.
func TestF11_OnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo.ekko.ipc.json")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	sub := filepath.Join(dir, "dir.ekko.ipc.json")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{fifo: "a pipe", sub: "a directory", "/dev/null": "a device"} {
		if _, err := Load(path); !errors.Is(err, ErrUntrusted) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestF11_LinksAreJudgedByWhereTheyLead: a link lends its target no trust.
func TestF11_LinksAreJudgedByWhereTheyLead(t *testing.T) {
	dir := t.TempDir()
	good := writeFile(t, dir, "good", minimal, 0o644)
	bad := writeFile(t, dir, "bad", minimal, 0o666)
	for target, ok := range map[string]bool{good: true, bad: false} {
		link := target + ".ekko.ipc.json"
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(link); (err == nil) != ok {
			t.Errorf("link to %s: %v", target, err)
		}
	}
}

// TestF11_SwapWhileReading: whoever exchanges the file between the look and the
// reading gains nothing, since both are of one open file.
func TestF11_SwapWhileReading(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, dir, "shop.ekko.ipc.json", minimal, 0o600)
	evil := `{"service":{"name":"evil"}}`
	var stop atomic.Bool
	done := make(chan error)
	go func() {
		var err error
		for i := 0; !stop.Load() && err == nil; i++ {
			text, mode := minimal, os.FileMode(0o600)
			if i%2 == 0 {
				text, mode = evil, 0o666
			}
			next := filepath.Join(dir, "next")
			if err = os.WriteFile(next, []byte(text), 0o600); err == nil {
				err = os.Chmod(next, mode)
			}
			if err == nil {
				err = os.Rename(next, path)
			}
		}
		done <- err
	}()
	// Both outcomes must be seen, or the race was not run.
	loaded, refused := 0, 0
	for loaded < 500 || refused < 500 {
		m, err := Load(path)
		switch {
		case err == nil && m.Service.Name == "shop":
			loaded++
		case errors.Is(err, ErrUntrusted):
			refused++
		default:
			t.Errorf("loaded %+v, %v", m, err)
			loaded, refused = 1e9, 1e9
		}
		runtime.Gosched()
	}
	stop.Store(true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestF11_Directories: a directory is good if nobody else can put files there,
// in it or in what it stands in.
func TestF11_Directories(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckDir(base); err != nil {
		t.Skipf("the temporary directory itself is not good: %v", err)
	}
	mkdir := func(path string, mode os.FileMode) string {
		path = filepath.Join(base, path)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := map[string]bool{
		mkdir("private", 0o700): true, mkdir("private/sub", 0o755): true,
		mkdir("group", 0o770): false, mkdir("group/sub", 0o700): false,
		mkdir("open", 0o777): false, mkdir("open/sub", 0o700): false,
		mkdir("sticky", os.ModeSticky|0o777): false, mkdir("sticky/sub", 0o700): true,
	}
	if os.Geteuid() == 0 {
		foreign, inside := mkdir("foreign", 0o755), mkdir("foreign/sub", 0o755)
		if err := os.Chown(foreign, 54321, -1); err != nil {
			t.Fatal(err)
		}
		cases[foreign], cases[inside] = false, false
	}
	for path, ok := range cases {
		if err := CheckDir(path); (err == nil) != ok || err != nil && !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: %v", path, err)
		}
	}
	link := filepath.Join(base, "link")
	if err := os.Symlink(filepath.Join(base, "open"), link); err != nil {
		t.Fatal(err)
	}
	if err := CheckDir(link); !errors.Is(err, ErrUntrusted) {
		t.Errorf("a link to an open directory: %v", err)
	}
	file := writeFile(t, base, "file", "", 0o600)
	if err := CheckDir(file); !errors.Is(err, ErrUntrusted) {
		t.Errorf("a file: %v", err)
	}
}
