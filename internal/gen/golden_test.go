package gen

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/manifest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// cases are the folders of testdata with a manifest: its golden files lie
// beside it.
func cases(t *testing.T) (names []string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*/*.ekko.ipc.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no manifests in testdata: %v", err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

func load(t *testing.T, name string) *manifest.Manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name, name+".ekko.ipc.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// golden compares what was written with what is expected.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if it should, run the test with -update\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

func TestTypeScript(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			m := load(t, name)
			golden(t, filepath.Join("testdata", name, "ekko-env.d.ts"), TypeScript([]Service{{m.Service.Name, m}}))
		})
	}
}

func TestEkkoModule(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			m := load(t, name)
			golden(t, filepath.Join("testdata", name, "ekkojs.js"), EkkoModule(Service{m.Service.Name, m}, "tcp:127.0.0.1:7000"))
		})
	}
}

// TestEkkoClient asks of the client what the EkkoJS runtime takes: modules of its
// own, and no others.
func TestEkkoClient(t *testing.T) {
	client, err := EkkoClient()
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, m := range regexp.MustCompile(`(?m)^\s*import\b.*?["'](.+?)["']`).FindAllSubmatch(client, -1) {
		imports = append(imports, string(m[1]))
	}
	if diff := cmp.Diff([]string{"ekko:net"}, imports); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"service", "bind", "IpcError"} {
		if !regexp.MustCompile(`(?s)export \{[^}]*\b` + name + `\b`).Match(client) {
			t.Errorf("it does not export %s", name)
		}
	}
}

func TestGo(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			m, dir := load(t, name), filepath.Join("testdata", name)
			client, err := Go(m, name)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(dir, "client.go"), client)
			skeleton, err := GoSkeleton(m, name)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(dir, "service.go"), skeleton)
		})
	}
}

func TestMarkdown(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", name, "README.md"), Markdown(load(t, name)))
		})
	}
}
