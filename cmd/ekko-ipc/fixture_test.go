package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/ekkojs/ipc"
)

// fixture is the service that the sessions talk to: a small user database.
//
//	fixture [-deny] MANIFEST
func fixture() {
	deny := flag.Bool("deny", false, "refuse every caller")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serveFixture(ctx, flag.Arg(0), *deny); err != nil {
		fmt.Fprintln(os.Stderr, "fixture:", err)
		os.Exit(1)
	}
}

type fixtureUser struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

func serveFixture(ctx context.Context, path string, deny bool) error {
	promise, err := ipc.LoadManifest(path)
	if err != nil {
		return err
	}
	options := &ipc.ServiceOptions{
		Ready: func(addresses []string) { fmt.Println("ready at", addresses[0]) },
	}
	if deny {
		options.Admit = func(ipc.Caller) bool { return false }
	}
	service := ipc.NewService(promise, options)

	ipc.Handle(service, "getUserById", func(_ context.Context, id int) (*fixtureUser, error) {
		if id != 123 {
			return nil, ipc.Errorf(ipc.CodeNotFound, "there is no user %d", id)
		}
		return &fixtureUser{ID: 123, Name: "Ada", Email: "ada@example.com"}, nil
	})
	var last atomic.Int64
	ipc.Handle(service, "createUser", func(ctx context.Context, user fixtureUser) (*fixtureUser, error) {
		user.ID = int(last.Add(1))
		return &user, service.Publish(ctx, "user.created", user)
	})
	// What arrives, as it arrives.
	echo := func(_ context.Context, r *ipc.Request) (any, error) {
		args, err := r.Args()
		return args, err
	}
	service.Handle("echo", echo)
	service.Handle("addNumbers", echo)
	service.Handle("hang", func(ctx context.Context, _ *ipc.Request) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	return service.Serve(ctx)
}
