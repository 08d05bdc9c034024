package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"strings"
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
		// The user is there, whether or not who asked for it still is.
		return &user, service.Publish(context.WithoutCancel(ctx), "user.created", user)
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
	var receipts atomic.Int64
	ipc.Handle(service, "charge", func(context.Context, float64) (int64, error) { return receipts.Add(1), nil })
	serveStreams(service)
	return service.Serve(ctx)
}

// serveStreams makes the service stream in all ways.
func serveStreams(service *ipc.Service) {
	ipc.HandleStream(service, "exportUsers", func(_ context.Context, limit int) iter.Seq2[fixtureUser, error] {
		return func(yield func(fixtureUser, error) bool) {
			for id := 1; id <= limit || limit == 0; id++ {
				if !yield(fixtureUser{ID: id, Name: fmt.Sprint("user ", id)}, nil) {
					fmt.Println("exportUsers was told to stop")
					return
				}
			}
		}
	})
	ipc.HandleItems(service, "importUsers", func(_ context.Context, r *ipc.Request, users iter.Seq2[fixtureUser, error]) (string, error) {
		var group string
		if err := r.Decode(&group); err != nil {
			return "", err
		}
		names := []string{}
		for user, err := range users {
			if err != nil {
				fmt.Println("importUsers broke off after", len(names))
				return "", err
			}
			if names = append(names, user.Name); user.Name == "enough" {
				break
			}
		}
		return group + ": " + strings.Join(names, ", "), nil
	})
	service.Handle("shout", func(ctx context.Context, r *ipc.Request) (any, error) {
		for item, err := range r.Items(ctx) {
			if err != nil {
				return nil, err
			}
			if err := r.Send(ctx, ipc.Raw(strings.ToUpper(item.String()))); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}
