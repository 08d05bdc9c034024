package ipc_test

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/transport"
)

const manifestText = `{
  "service": {"name": "fixture", "version": "1.2.3", "transport": {"type": "auto", "address": "fixture"}},
  "methods": {
    "echo": {"parameters": [{"name": "value", "type": "any"}], "returns": {"type": "any"}},
    "add": {"parameters": [{"name": "a", "type": "number", "required": true}, {"name": "b", "type": "number", "default": 1}], "returns": {"type": "number"}},
    "user": {
      "parameters": [{"name": "id", "type": "number", "required": true}],
      "returns": {"type": "object", "schema": {"id": "number", "name": "string"}}
    },
    "fail": {"parameters": [{"name": "how", "type": "string"}]},
    "wait": {"parameters": []},
    "absent": {"parameters": []}
  },
  "events": {
    "user.created": {"schema": {"id": "number"}},
    "user.updated": {},
    "order.completed": {}
  },
  "channels": {"notifications": {"type": "broadcast"}}
}`

func parse(t testing.TB, text string) *ipc.Manifest {
	t.Helper()
	m, err := ipc.ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type user struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type addition struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

// newFixture returns a service whose handlers do what their methods say.
func newFixture(opts *ipc.ServiceOptions) *ipc.Service {
	m, err := ipc.ParseManifest([]byte(manifestText))
	if err != nil {
		panic(err)
	}
	s := ipc.NewService(m, opts)
	s.Handle("echo", func(_ context.Context, r *ipc.Request) (any, error) {
		args, err := r.Args()
		if err != nil || len(args) == 0 {
			return nil, err
		}
		return args[0], nil
	})
	ipc.Handle(s, "add", func(_ context.Context, req addition) (float64, error) {
		return req.A + req.B, nil
	})
	ipc.Handle(s, "user", func(_ context.Context, id int) (any, error) {
		switch id {
		case 123:
			return user{123, "Ada"}, nil
		case 7: // against the manifest
			return map[string]any{"id": "seven"}, nil
		}
		return nil, ipc.Errorf(ipc.CodeNotFound, "no user %d", id)
	})
	ipc.Handle(s, "fail", failAs)
	ipc.Handle(s, "wait", func(ctx context.Context, _ any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	return s
}

func failAs(_ context.Context, how string) (any, error) {
	switch how {
	case "panic":
		panic("the handler's own business")
	case "plain":
		return nil, context.Canceled
	case "app":
		return nil, ipc.Errorf("APP_OUT_OF_STOCK", "none left")
	case "forged":
		return nil, ipc.Errorf(ipc.CodeUnauthenticated, "who are you?")
	case "unwritable":
		return make(chan int), nil
	}
	return how, nil
}

// notOnWindows skips what is not there, or not so.
func notOnWindows(t testing.TB, what string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("on Windows there is no such thing:", what)
	}
}

var quiet = slog.New(slog.DiscardHandler)

// start serves a fixture and returns its address.
func start(t testing.TB, opts *ipc.ServiceOptions) (address string, s *ipc.Service) {
	t.Helper()
	var o ipc.ServiceOptions
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	s = newFixture(&o)
	return serve(t, s), s
}

// serve runs s until the test ends and returns its address.
func serve(t testing.TB, s *ipc.Service) (address string) {
	t.Helper()
	address = localAddress(t)
	stop := serveAt(t, s, address)
	t.Cleanup(stop)
	return address
}

// serveAt runs s at address until stop is called.
func serveAt(t testing.TB, s *ipc.Service, address string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, address) }()
	select {
	case <-s.Ready():
	case err := <-served:
		cancel()
		t.Fatalf("Serve: %v", err)
	}
	return func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

func dial(t testing.TB, address string, opts *ipc.ClientOptions) *ipc.Client {
	t.Helper()
	c, err := ipc.Dial(t.Context(), address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// isMe reports whether the kernel names this process's user.
func isMe(known bool, uid uint32, sid string) bool {
	if runtime.GOOS == "windows" {
		return known && uid == transport.NoUID && sid == transport.OwnSID()
	}
	return known && int(uid) == os.Geteuid() && sid == ""
}

func pid() int { return os.Getpid() }
