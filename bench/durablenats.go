//go:build !solo || nats

package main

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// JetStream that syncs before it confirms, as it does not by default: the
// others do.
func init() {
	registerDurable(&durablePeer{
		name:    "nats-jetstream",
		program: "nats",
		module:  "github.com/nats-io/nats-server/v2",
		vault: func(dir string) (string, error) {
			s, err := server.NewServer(&server.Options{
				Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
				JetStream: true, StoreDir: filepath.Join(dir, "jetstream"), SyncAlways: true,
			})
			if err != nil {
				return "", err
			}
			go s.Start()
			if !s.ReadyForConnections(10 * time.Second) {
				return "", errors.New("nats-server is not ready after 10 s")
			}
			return s.ClientURL(), nil
		},
		open: func(_, addr string) (keeper, error) {
			c, err := nats.Connect(addr)
			if err != nil {
				return nil, err
			}
			js, err := c.JetStream()
			if err != nil {
				return nil, err
			}
			_, err = js.AddStream(&nats.StreamConfig{Name: "bench", Subjects: []string{tickSubject}, Storage: nats.FileStorage})
			return jetStream{js}, err
		},
	})
}

type jetStream struct{ js nats.JetStreamContext }

func (k jetStream) keep(data []byte) error {
	_, err := k.js.Publish(tickSubject, data)
	return err
}
