package ipc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
)

// serveFixture serves what the conversations are held with, for as long as
// the test lasts, and returns where. What its methods do is written in
// spec/conversations/README.md. change, which may be nil, adjusts the service.
func serveFixture(t *testing.T, change func(*ipc.ServiceOptions)) (address string, service *ipc.Service) {
	promise, err := ipc.LoadManifest(filepath.Join(conversations, "fixture.ekko.ipc.json"))
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	opts := ipc.ServiceOptions{
		MaxFrame:  maxTalk,
		MaxQueued: 2,
		Logger:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Ready:     func(addresses []string) { ready <- addresses[0] },
	}
	if change != nil {
		change(&opts)
	}
	if opts.Store == nil {
		opts.Store = store.NewMemory()
	}
	service = ipc.NewService(promise, &opts)
	for name, h := range spokenWith(service) {
		service.Handle(name, h)
	}
	service.HandleSnapshot("weather", func(context.Context, ipc.Caller) (any, ipc.Cursor, error) {
		next := service.Next("weather")
		return map[string]any{"reports": next.Seq - 1}, next, nil
	})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- service.Serve(ctx, localAddress(t)) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	select {
	case address := <-ready:
		return address, service
	case err := <-served:
		served <- nil
		t.Fatalf("serving: %v", err)
		return "", nil
	}
}

// maxTalk is the longest frame of a conversation, in bytes.
const maxTalk = 4096

func spokenWith(service *ipc.Service) map[string]ipc.Handler {
	var deposits, attempts atomic.Int64
	return map[string]ipc.Handler{
		"greet": func(_ context.Context, r *ipc.Request) (any, error) {
			var name, greeting string
			err := r.Decode(&name, &greeting)
			return greeting + ", " + name + "!", err
		},
		"add": func(_ context.Context, r *ipc.Request) (any, error) {
			var a, b float64
			err := r.Decode(&a, &b)
			return a + b, err
		},
		"total": func(_ context.Context, r *ipc.Request) (any, error) {
			var numbers []float64
			err := r.Decode(&numbers)
			sum := 0.0
			for _, n := range numbers {
				sum += n
			}
			return sum, err
		},
		"echo":     func(_ context.Context, r *ipc.Request) (any, error) { return r.Data, nil },
		"findUser": findAda,
		"fail":     failAsAsked,
		"misspeak": func(context.Context, *ipc.Request) (any, error) { return "seven", nil },
		"announce": func(ctx context.Context, r *ipc.Request) (any, error) {
			var user ipc.Raw
			if err := r.Decode(&user); err != nil {
				return nil, err
			}
			return nil, service.Publish(ctx, "user.created", user)
		},
		"grow": func(_ context.Context, r *ipc.Request) (any, error) {
			var letters int
			err := r.Decode(&letters)
			return strings.Repeat("a", letters), err
		},
		"wait": func(ctx context.Context, _ *ipc.Request) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"count": func(ctx context.Context, r *ipc.Request) (any, error) {
			var to int
			err := r.Decode(&to)
			for i := 1; i <= to && err == nil; i++ {
				err = r.Send(ctx, i)
			}
			return nil, err
		},
		"slip": func(ctx context.Context, r *ipc.Request) (any, error) {
			if err := r.Send(ctx, 1); err != nil {
				return nil, err
			}
			return nil, r.Send(ctx, "two")
		},
		"tally": func(ctx context.Context, r *ipc.Request) (any, error) {
			count, sum := 0, 0.0
			for item, err := range r.Items(ctx) {
				if err != nil {
					return nil, err
				}
				var n float64
				if err := item.Decode(&n); err != nil {
					return nil, err
				}
				count, sum = count+1, sum+n
			}
			return map[string]any{"count": count, "sum": sum}, nil
		},
		"mirror": func(ctx context.Context, r *ipc.Request) (any, error) {
			for item, err := range r.Items(ctx) {
				if err == nil {
					err = r.Send(ctx, item)
				}
				if err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
		"idle": func(ctx context.Context, _ *ipc.Request) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"consult": func(ctx context.Context, r *ipc.Request) (any, error) {
			var question string
			if err := r.Decode(&question); err != nil {
				return nil, err
			}
			return r.Peer().Call(ctx, "advise", question)
		},
		"hurry": func(ctx context.Context, _ *ipc.Request) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"occupy": func(ctx context.Context, r *ipc.Request) (any, error) {
			var by string
			if err := r.Decode(&by); err != nil {
				return nil, err
			}
			if err := service.Publish(ctx, "occupied", map[string]any{"by": by}); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"deposit": func(_ context.Context, r *ipc.Request) (any, error) {
			var amount int64
			err := r.Decode(&amount)
			return deposits.Add(amount), err
		},
		"try": func(_ context.Context, r *ipc.Request) (any, error) {
			var code string
			if err := r.Decode(&code); err != nil {
				return nil, err
			}
			return nil, ipc.Errorf(ipc.Code(code), "attempt %d", attempts.Add(1))
		},
		"nextNotice": func(ctx context.Context, _ *ipc.Request) (any, error) {
			sub, err := service.Subscribe("notices", nil)
			if err != nil {
				return nil, err
			}
			defer sub.Close()
			e, err := sub.Next(ctx)
			if err != nil {
				return nil, err
			}
			return e.Data, nil
		},
	}
}

func findAda(_ context.Context, r *ipc.Request) (any, error) {
	var id int
	if err := r.Decode(&id); err != nil {
		return nil, err
	}
	if id != 123 {
		return nil, ipc.Errorf(ipc.CodeNotFound, "no user has id %d", id)
	}
	return map[string]any{"id": id, "name": "Ada"}, nil
}

func failAsAsked(_ context.Context, r *ipc.Request) (any, error) {
	var code string
	if err := r.Decode(&code); err != nil {
		return nil, err
	}
	switch code {
	case "":
		return nil, errors.New("the handler's own words")
	case "panic":
		panic("at the disco")
	}
	return nil, ipc.Errorf(ipc.Code(code), "as asked for")
}
