//go:build !solo || nats

package main

import (
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// The peer is request and reply through a NATS server in a process of its own,
// on the loopback interface: NATS has no Unix sockets.
func init() {
	register(&peer{
		name:    "nats",
		program: "nats",
		module:  "github.com/nats-io/nats-server/v2",
		broker: func(string) (string, error) {
			s, err := server.NewServer(&server.Options{
				Host: "127.0.0.1", Port: server.RANDOM_PORT,
				NoLog: true, NoSigs: true, MaxConn: 1 << 16,
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
		serve: func(_, broker string) (string, error) {
			c, err := nats.Connect(broker)
			if err != nil {
				return "", err
			}
			if _, err := c.Subscribe(natsSubject, func(m *nats.Msg) { m.Respond(m.Data) }); err != nil {
				return "", err
			}
			return broker, c.Flush()
		},
		dial: func(addr string) (conn, error) {
			c, err := nats.Connect(addr)
			if err != nil {
				return nil, err
			}
			return natsConn{c}, nil
		},
	})
}

const natsSubject = "bench.echo"

type natsConn struct{ c *nats.Conn }

func (c natsConn) call(p []byte) ([]byte, error) {
	m, err := c.c.Request(natsSubject, p, 30*time.Second)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}

func (c natsConn) close() { c.c.Close() }
