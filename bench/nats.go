//go:build !solo || nats

package main

import (
	"time"

	"github.com/nats-io/nats.go"
)

// The peer is request and reply through a NATS server.
func init() {
	register(&peer{
		name:    "nats",
		program: "nats",
		module:  "github.com/nats-io/nats-server/v2",
		broker:  natsBroker,
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
