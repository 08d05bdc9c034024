package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ekkojs/ipc"
)

const manifestText = `{
	"service": {"name": "cost", "version": "1.0.0", "transport": {"type": "unix"}},
	"methods": {
		"untyped": {
			"parameters": [{"name": "value", "type": "object", "required": true}],
			"returns": {"type": "object"}
		},
		"typed": {
			"parameters": [{"name": "id", "type": "number", "required": true}],
			"returns": {"type": "object", "schema": {"id": "number", "name": "string"}}
		},
		"structs": {
			"parameters": [{"name": "value", "type": "object", "required": true}],
			"returns": {"type": "object"}
		}
	}
}`

// A user is what the typed paths carry.
type user struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// A path is one way of making a call and answering it.
type path struct {
	name string
	call func(*ipc.Client) error
}

var paths = []path{{"untyped", callUntyped}, {"typed", callTyped}, {"structs", callStructs}}

func pathNamed(name string) (path, error) {
	for _, p := range paths {
		if p.name == name {
			return p, nil
		}
	}
	return path{}, fmt.Errorf("no path is called %q", name)
}

// document is what the untyped path carries: 100 bytes.
var document = ipc.Raw(`{"orderId":456,"customer":"Ada Lovelace","total":99.99,"items":["tea","rusk","jam"],"note":"parcel"}`)

func callUntyped(c *ipc.Client) error {
	reply, err := c.Call(context.Background(), "untyped", document)
	if err == nil && len(reply) != len(document) {
		err = fmt.Errorf("sent %s, received %s", document, reply)
	}
	return err
}

func callTyped(c *ipc.Client) error {
	received, err := ipc.Call[user](context.Background(), c, "typed", ada.ID)
	return check(received, err)
}

func callStructs(c *ipc.Client) error {
	received, err := ipc.Call[user](context.Background(), c, "structs", ada)
	return check(received, err)
}

var ada = user{456, "Ada Lovelace"}

func check(received user, err error) error {
	if err == nil && received != ada {
		err = fmt.Errorf("received %v, want %v", received, ada)
	}
	return err
}

// open serves at the address and dials it. The returned func ends both and
// returns when they have ended.
func open(address string) (c *ipc.Client, end func(), err error) {
	m, err := ipc.ParseManifest([]byte(manifestText))
	if err != nil {
		return nil, nil, err
	}
	ready, stopped := make(chan struct{}), make(chan error, 1)
	s := ipc.NewService(m, &ipc.ServiceOptions{Ready: func([]string) { close(ready) }, Logger: slog.New(slog.DiscardHandler)})
	s.Handle("untyped", func(_ context.Context, r *ipc.Request) (any, error) {
		args, err := r.Args()
		if err != nil {
			return nil, err
		}
		return args[0], nil
	})
	ipc.Handle(s, "typed", func(_ context.Context, id int) (user, error) { return user{id, ada.Name}, nil })
	ipc.Handle(s, "structs", func(_ context.Context, u user) (user, error) { return u, nil })
	ctx, cancel := context.WithCancel(context.Background())
	go func() { stopped <- s.Serve(ctx, address) }()
	select {
	case <-ready:
	case err := <-stopped:
		cancel()
		return nil, nil, fmt.Errorf("serving at %s: %w", address, err)
	}
	if c, err = ipc.Dial(ctx, address, nil); err != nil {
		cancel()
		<-stopped
		return nil, nil, err
	}
	return c, func() { c.Close(); cancel(); <-stopped }, nil
}
