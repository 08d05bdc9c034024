package script_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/script"
)

const databaseManifest = `{
  "service": { "name": "database-service", "version": "1.0.0", "transport": { "type": "namedpipe", "address": "ekko-db-service", "port": null } },
  "methods": {
    "getUserById": { "parameters": [{ "name": "id", "type": "number", "required": true }], "returns": { "type": "object" } },
    "slow": {}
  },
  "events": { "user.created": { "schema": { "id": "number" } }, "order.completed": { "schema": { "orderId": "number", "total": "number" } } }
}`

// network gives a test services of its own: a directory to find them in and
// one for their sockets.
func network(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	sockets, err := os.MkdirTemp("", "ekko") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	t.Setenv("EKKO_IPC_RUNTIME_DIR", sockets)
	t.Setenv("EKKO_IPC_PATH", dir)
	t.Setenv("HOME", t.TempDir())
	if err := os.WriteFile(filepath.Join(dir, "database-service.ekko.ipc.json"), []byte(databaseManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inBackground runs an app until the test ends, and returns when it has
// printed ready.
func inBackground(t *testing.T, dir, name, text, ready string) *program {
	t.Helper()
	p := newProgram(t)
	p.start(dir, name, text)
	return p.until(ready)
}

func newProgram(t *testing.T) *program {
	return &program{t: t, lines: make(chan string, 1000), signals: make(chan os.Signal, 1), done: make(chan struct{})}
}

// until waits for a line. A program that ends without it fails the test.
func (p *program) until(ready string) *program {
	p.t.Helper()
	for line := range p.lines {
		if line == ready {
			return p
		}
	}
	p.t.Fatalf("the program ended, and never printed %q", ready)
	return nil
}

type program struct {
	t       *testing.T
	out     lockedBuffer
	lines   chan string
	signals chan os.Signal
	done    chan struct{}
	code    int

	configure func(*ipc.Manifest, *ipc.ServiceOptions) (func() error, error)
	complains string // what it is to say on stderr
}

func (p *program) start(dir, name, text string) {
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.out.wrote = func(line string) { p.lines <- line }
	var errs lockedBuffer
	go func() {
		defer close(p.done)
		defer close(p.lines)
		var err error
		p.code, err = script.Run(p.t.Context(), file, &script.Options{Dir: dir, Stdout: &p.out, Stderr: &errs, Signals: p.signals, Configure: p.configure})
		if err != nil || errs.String() != p.complains {
			p.t.Errorf("%s: %v\n%s", name, err, errs.String())
		}
	}()
	p.t.Cleanup(func() { <-p.done })
}

// end waits for the program's end and returns its exit code.
func (p *program) end() int {
	<-p.done
	return p.code
}

const serveApp = `
import { serve } from '@ekkojs/ipc';
const svc = await serve('database-service', {
  async getUserById(id: number) { svc.publish('user.created', { id }); return { id, name: 'Ada', mine: this.caller.pid === process.pid }; },
  slow() { console.log('slow runs'); return new Promise((resolve) => setTimeout(resolve, 30, 'slowly')); },
});
svc.subscribe('order.*', (data, { channel }) => console.log('heard', channel, JSON.stringify(data)));
console.log('serving');
`

// TestTheSeed runs the seed's examples, word for word, between two apps over
// a real socket.
func TestTheSeed(t *testing.T) {
	dir := network(t)
	service := inBackground(t, dir, "serve.ts", serveApp, "serving")
	client := inBackground(t, dir, "client.ts", `
import service from 'ipc:database-service';
import events from 'ipc:database-service';
const user = await new Promise((resolve) => { events.subscribe('user.created', (data) => resolve(data)); service.getUserById(123); });
console.log('New user:', user);
const result = await service.getUserById(123);
console.log(result);
events.publish('order.completed', { orderId: 456, total: 99.99 });
process.exitCode = 3;
setTimeout(() => process.exit(), 1);
`, "New user: { id: 123 }")
	if line := <-client.lines; line != "{ id: 123, name: 'Ada', mine: true }" {
		t.Errorf("the result is %s", line)
	}
	if code := client.end(); code != 3 {
		t.Errorf("the client's exit code is %d", code)
	}
	if line := <-service.lines; line != `heard order.completed {"orderId":456,"total":99.99}` {
		t.Errorf("the service printed %q", line)
	}
	service.signals <- syscall.SIGTERM
	if code := service.end(); code != 0 {
		t.Errorf("the service's exit code is %d", code)
	}
	socket := filepath.Join(os.Getenv("EKKO_IPC_RUNTIME_DIR"), "ekko-db-service.sock")
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// TestDrain: SIGTERM during a call. The call is answered.
func TestDrain(t *testing.T) {
	dir := network(t)
	service := inBackground(t, dir, "serve.ts", serveApp, "serving")
	c, err := ipc.Dial(t.Context(), "database-service", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var calling sync.WaitGroup
	calling.Go(func() {
		result, err := c.Call(t.Context(), "slow")
		if err != nil || result.String() != `"slowly"` {
			t.Errorf("the call gave %s, %v", result, err)
		}
	})
	if line := <-service.lines; line != "slow runs" {
		t.Errorf("the service printed %q", line)
	}
	service.signals <- syscall.SIGTERM
	calling.Wait()
	if code := service.end(); code != 0 {
		t.Errorf("the exit code is %d", code)
	}
}

// TestServiceIsDown: a service that is found but not running is an error of
// the call, not of the import; a subscription waits for it.
func TestServiceIsDown(t *testing.T) {
	dir := network(t)
	client := inBackground(t, dir, "client.ts", `
import service from 'ipc:database-service';
await service.getUserById(1).catch((e: any) => console.log(e.code, e.executed, e.retryable));
const stop = service.subscribe('user.created', (data) => { console.log(data); stop(); });
console.log('waiting');
`, "waiting")
	first := inBackground(t, dir, "serve.ts", `
import { serve } from '@ekkojs/ipc';
const svc = await serve('database-service', { getUserById: (id: number) => ({ id }) });
const again = setInterval(() => svc.publish('user.created', { id: 9 }), 2);
process.on('SIGTERM', () => { clearInterval(again); svc.close(); });
console.log('serving');
`, "serving")
	first.signals <- syscall.SIGTERM
	first.end()
	if !strings.HasPrefix(client.out.String(), "SERVICE_UNAVAILABLE no true\n") {
		t.Errorf("the call gave %s", &client.out)
	}
	// The first service may have ended before the client tried again.
	second := inBackground(t, dir, "again.ts", `
import { serve } from '@ekkojs/ipc';
const svc = await serve('database-service', { getUserById: (id: number) => ({ id }) });
setInterval(() => svc.publish('user.created', { id: 9 }), 2);
console.log('serving');
`, "serving")
	if code := client.end(); code != 0 || !strings.HasSuffix(client.out.String(), "{ id: 9 }\n") {
		t.Errorf("exit %d\n%s", code, &client.out)
	}
	second.signals <- syscall.SIGTERM
}

// TestServeWithoutManifest: a service that nobody has described is what its
// functions say.
func TestServeWithoutManifest(t *testing.T) {
	dir := network(t)
	service := inBackground(t, dir, "serve.js", `
import { serve } from '@ekkojs/ipc';
const svc = await serve('plain-service', { add: (a, b) => a + b, all(...args) { return args; } });
console.log('serving');
`, "serving")
	c, err := ipc.Dial(t.Context(), "plain-service", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, call := range []struct {
		method string
		args   []any
		want   string
	}{{"add", []any{1, 2}, "3"}, {"all", []any{1, []int{2}, "x"}, `[1,[2],"x"]`}, {"all", nil, "[]"}} {
		result, err := c.Call(t.Context(), call.method, call.args...)
		if err != nil || result.String() != call.want {
			t.Errorf("%s gave %s, %v; want %s", call.method, result, err, call.want)
		}
	}
	service.signals <- os.Interrupt
	if code := service.end(); code != script.ExitInterrupted {
		t.Errorf("the exit code is %d", code)
	}
}

// TestServeMistakes: what cannot be served is refused by name.
func TestServeMistakes(t *testing.T) {
	dir := network(t)
	stdout := inBackground(t, dir, "serve.js", `
import { serve } from '@ekkojs/ipc';
await serve('database-service', { getUserByID() {} }).catch((e) => console.log(e.code, e.message));
await serve('bad name', {}).catch((e) => console.log(e.code));
await serve({ manifest: { service: { name: 'x' }, methods: 5 }, methods: {} }).catch((e) => console.log(e.name));
await serve({ manifest: { service: { name: 'x', version: '1.0.0' }, methods: { all: { stream: 'client' } } }, methods: { all() {} } }).catch((e) => console.log(e.code, e.message));
const svc = await serve('database-service', {}, { address: 'unix:' + process.env.EKKO_IPC_RUNTIME_DIR + '/other.sock' });
console.log(svc.address.endsWith('/other.sock'));
await svc.close();
console.log('done');
`, "done").out.String()
	want := "INVALID_ARGUMENT the manifest of database-service declares no method \"getUserByID\"; did you mean \"getUserById\"?\nINVALID_NAME\nIpcError\n" +
		"UNIMPLEMENTED the caller of all streams, and a script cannot serve such a method yet: leave it out, or serve x by the library for Go\ntrue\ndone\n"
	if stdout != want {
		t.Errorf("printed\n%s\nwant\n%s", stdout, want)
	}
}

// TestMissingServiceIsQuick: an import of a service that is not there fails
// within two seconds and says where it was looked for.
func TestMissingServiceIsQuick(t *testing.T) {
	dir := network(t)
	if err := os.WriteFile(filepath.Join(dir, "app.ts"), []byte("import x from 'ipc:databse-service';\nx.y();\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var stderr lockedBuffer
	code, err := script.Run(ctx, "app.ts", &script.Options{Dir: dir, Stderr: &stderr})
	if code != script.ExitFailed || err != nil {
		t.Errorf("Run = %d, %v", code, err)
	}
	for _, want := range []string{"app.ts:1:15: error: cannot import 'ipc:databse-service': SERVICE_NOT_FOUND", `did you mean "database-service"`, dir} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, &stderr)
		}
	}
}

const counterManifest = `{"service": {"name": "counter", "version": "1.0.0"}, "methods": {"count": {"stream": "server"}, "echo": {"stream": "both"}}}`

// TestStreams takes streams of a real service: with its manifest, and by a
// name of which only the socket is known.
func TestStreams(t *testing.T) {
	dir := network(t)
	m, err := ipc.ParseManifest([]byte(counterManifest))
	if err != nil {
		t.Fatal(err)
	}
	ready, stopped := make(chan struct{}), make(chan error, 1)
	service := ipc.NewService(m, &ipc.ServiceOptions{Ready: func([]string) { close(ready) }})
	service.Handle("count", func(ctx context.Context, r *ipc.Request) (any, error) {
		for i := 0; ; i++ {
			if err := r.Send(ctx, i); err != nil {
				stopped <- err
				return nil, err
			}
		}
	})
	service.Handle("echo", func(ctx context.Context, r *ipc.Request) (any, error) {
		for item, err := range r.Items(ctx) {
			t.Errorf("an app sent %s, %v", item, err)
		}
		return nil, r.Send(ctx, r.Data)
	})
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- service.Serve(ctx) }()
	defer func() {
		end()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	<-ready

	app := inBackground(t, dir, "unknown.ts", `
import service from 'ipc:counter';
await service.count().catch((e: any) => console.log(e.code, e.message));
const sum = async () => { let sum = 0; for await (const i of service.$stream('count')) if ((sum += i as number) > 100_000) return sum; };
console.log(await sum());
console.log('done');
`, "done")
	want := "PROTOCOL_ERROR the method answers with a stream, and was called for a single result; take it by a loop: for await (const item of service.$stream(\"count\", …))\n100128\ndone\n"
	if app.end(); app.out.String() != want {
		t.Fatalf("printed\n%s\nwant\n%s", &app.out, want)
	}
	for range 2 { // the handler of each was told
		if err := <-stopped; err == nil {
			t.Error("a stream that was left ended well")
		}
	}

	if err := os.WriteFile(filepath.Join(dir, "counter.ekko.ipc.json"), []byte(counterManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	app = inBackground(t, dir, "known.ts", `
import { count, echo } from 'ipc:counter';
for await (const args of echo('a', 1)) console.log(args);
for await (const i of count()) if (i === 1000) break;
console.log('done');
`, "done")
	if app.end(); app.out.String() != "[ 'a', 1 ]\ndone\n" {
		t.Errorf("printed\n%s", &app.out)
	}
	<-stopped
}
