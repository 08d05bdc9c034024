//go:build !solo || ipc

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/ekkojs/ipc"
)

// EkkoJS IPC with its defaults: found by name, identity by the kernel, events
// checked against the manifest, numbered and timed. Once the service itself
// publishes, and once one of its clients does, for which the service is the
// broker.
func init() {
	registerEvents(&eventPeer{
		name:     ipcEvents,
		program:  "ipc",
		profiled: true,
		publish: func(dir, _ string) (publisher, string, error) {
			s, err := tickService(dir)
			return servicePublisher{s}, dir, err
		},
		subscribe: hearEkko,
	})
	registerEvents(&eventPeer{
		name:     "ipc-client",
		program:  "ipc",
		profiled: true,
		broker: func(dir string) (string, error) {
			_, err := tickService(dir)
			return dir, err
		},
		publish: func(_, dir string) (publisher, string, error) {
			c, err := ipc.Dial(context.Background(), ekkoName, tickOptions(dir))
			return clientPublisher{c}, dir, err
		},
		subscribe: hearEkko,
	})
}

// tickService serves in dir, where clients find it.
func tickService(dir string) (*ipc.Service, error) { return startEkko(dir, &ipc.ServiceOptions{}) }

// tickOptions has errors told that nobody is there to be given: an event that
// the service refuses.
func tickOptions(dir string) *ipc.ClientOptions {
	return &ipc.ClientOptions{Dirs: []string{dir}, OnError: func(err error) {
		fmt.Fprintln(os.Stderr, "bench: events:", err)
	}}
}

type servicePublisher struct{ s *ipc.Service }

func (p servicePublisher) publish(data []byte) error {
	return p.s.Publish(context.Background(), tickName, ipc.Raw(data))
}

type clientPublisher struct{ c *ipc.Client }

func (p clientPublisher) publish(data []byte) error {
	return p.c.Publish(context.Background(), tickName, ipc.Raw(data))
}

// hearEkko subscribes by a client of its own.
func hearEkko(_, dir string, hear func([]byte)) error {
	c, err := ipc.Dial(context.Background(), ekkoName, tickOptions(dir))
	if err != nil {
		return err
	}
	_, err = ipc.Subscribe(context.Background(), c, tickName, func(_ context.Context, data ipc.Raw, _ *ipc.Event) { hear(data) })
	return err
}
