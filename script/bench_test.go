package script_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/script"
)

const echoManifest = `{"service":{"name":"echo-service","version":"1.0.0","transport":{"type":"unix","address":"echo"}},"methods":{"echo":{"parameters":[{"name":"v","type":"any"}]}}}`

// BenchmarkCalls is how many calls a second an app makes over a Unix socket,
// to a service in Go that does no work.
func BenchmarkCalls(b *testing.B) {
	for _, inFlight := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("inflight=%d", inFlight), func(b *testing.B) {
			dir := benchNetwork(b)
			app := fmt.Sprintf(`
import service from 'ipc:echo-service';
const user = { id: 123, name: 'Ada Lovelace', email: 'ada@example.com', tags: ['a', 'b', 'c'] };
let left = %d;
const worker = async () => { while (left-- > 0) await service.echo(user); };
await Promise.all(Array.from({ length: %d }, worker));
`, b.N, inFlight)
			runBench(b, dir, app)
		})
	}
}

// BenchmarkServe is how many calls a second an app answers, made by clients in
// Go.
func BenchmarkServe(b *testing.B) {
	for _, inFlight := range []int{1, 64} {
		b.Run(fmt.Sprintf("inflight=%d", inFlight), func(b *testing.B) {
			dir := benchFolder(b)
			writeBench(b, dir, `
import { serve } from '@ekkojs/ipc';
await serve('echo-service', { echo: (v: unknown) => v });
console.log('serving');
`)
			ctx, cancel := context.WithCancel(b.Context())
			ready, ended := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				out := &lockedBuffer{wrote: func(string) { close(ready) }}
				if code, err := script.Run(ctx, "app.ts", &script.Options{Dir: dir, Stdout: out}); code != 0 || err != nil {
					b.Error(code, err)
				}
			}()
			<-ready
			c, err := ipc.Dial(ctx, "echo-service", nil)
			if err != nil {
				b.Fatal(err)
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			var callers sync.WaitGroup
			b.ResetTimer()
			for range inFlight {
				callers.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := c.Call(ctx, "echo", map[string]any{"id": 123, "name": "Ada Lovelace"}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			callers.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			c.Close()
			cancel()
			<-ended
		})
	}
}

// BenchmarkStart is how long it takes to run an app that does nothing.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	writeBench(b, dir, "const x: number = 1;")
	for b.Loop() {
		if code, err := script.Run(b.Context(), "app.ts", &script.Options{Dir: dir}); code != 0 || err != nil {
			b.Fatal(code, err)
		}
	}
}

// benchFolder gives a benchmark a service to find and a place for its socket.
func benchFolder(b *testing.B) string {
	dir := b.TempDir()
	sockets, err := os.MkdirTemp("", "ekko")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(sockets) })
	b.Setenv("EKKO_IPC_RUNTIME_DIR", sockets)
	b.Setenv("EKKO_IPC_PATH", dir)
	if err := os.WriteFile(filepath.Join(dir, "echo-service.ekko.ipc.json"), []byte(echoManifest), 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

func benchNetwork(b *testing.B) string {
	dir := benchFolder(b)
	m, err := manifest.Parse([]byte(echoManifest))
	if err != nil {
		b.Fatal(err)
	}
	ready := make(chan struct{})
	s := ipc.NewService(m, &ipc.ServiceOptions{Ready: func([]string) { close(ready) }})
	s.Handle("echo", func(_ context.Context, r *ipc.Request) (any, error) { return r.Data, nil })
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.WithoutCancel(b.Context())) }()
	<-ready
	b.Cleanup(func() {
		s.Shutdown(context.Background())
		<-served
	})
	return dir
}

func runBench(b *testing.B, dir, app string) {
	writeBench(b, dir, app)
	var stderr strings.Builder
	b.ResetTimer()
	code, err := script.Run(b.Context(), "app.ts", &script.Options{Dir: dir, Stdout: io.Discard, Stderr: &stderr})
	b.StopTimer()
	if code != 0 || err != nil {
		b.Fatal(code, err, stderr.String())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func writeBench(b *testing.B, dir, app string) {
	if err := os.WriteFile(filepath.Join(dir, "app.ts"), []byte(app), 0o600); err != nil {
		b.Fatal(err)
	}
}
