package manifest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// writeFile puts a file of exactly that mode into the directory.
func writeFile(t testing.TB, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

const minimal = `{"service":{"name":"shop"}}`

func TestLoad(t *testing.T) {
	path := writeFile(t, t.TempDir(), "shop.ekko.ipc.json", minimal, 0o644)
	m, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if m.Service.Name != "shop" || m.Path != path {
		t.Errorf("%+v", m)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, dir, "shop.ekko.ipc.json", "{\n  \"service\": 5\n}", 0o644)
	_, err := Load(path)
	if want := path + `:2:14: "service" must be an object, not a number`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = Load(filepath.Join(dir, "none.ekko.ipc.json"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.ekko.ipc.json") {
		t.Errorf("an absent file: %v", err)
	}
	_, err = Load(dir)
	if err == nil {
		t.Error("a directory was read")
	}
}

func TestLoadTooLarge(t *testing.T) {
	big := minimal + strings.Repeat(" ", DefaultMaxSize)
	path := writeFile(t, t.TempDir(), "big.ekko.ipc.json", big, 0o600)
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "262144") {
		t.Errorf("got %v", err)
	}
	if _, err := (&Options{MaxSize: MaxSize}).Load(path); err != nil {
		t.Errorf("with a higher limit: %v", err)
	}
	path = writeFile(t, t.TempDir(), "huge.ekko.ipc.json", minimal+strings.Repeat(" ", MaxSize), 0o600)
	if _, err := (&Options{MaxSize: 100 * MaxSize}).Load(path); err == nil {
		t.Error("the ceiling does not hold")
	}
}

func TestCheckDirOfAbsentDirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("owners and modes are not looked at")
	}
	if err := CheckDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
