//go:build !solo || natsmicro

package main

import (
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// The peer is a service of the micro package that comes with nats.go: request
// and reply as in the peer nats, with statistics, discovery and errors.
func init() {
	register(&peer{
		name:    "nats-micro",
		program: "natsmicro",
		module:  "github.com/nats-io/nats.go",
		broker:  natsBroker,
		serve: func(_, broker string) (string, error) {
			c, err := nats.Connect(broker)
			if err != nil {
				return "", err
			}
			_, err = micro.AddService(c, micro.Config{
				Name: "bench", Version: "1.0.0",
				Endpoint: &micro.EndpointConfig{
					Subject: microSubject,
					Handler: micro.HandlerFunc(func(r micro.Request) { r.Respond(r.Data()) }),
				},
			})
			if err != nil {
				return "", err
			}
			return broker, c.Flush()
		},
		dial: func(addr string) (conn, error) {
			c, err := nats.Connect(addr)
			if err != nil {
				return nil, err
			}
			return microConn{c}, nil
		},
	})
}

const microSubject = "bench.micro.echo"

type microConn struct{ c *nats.Conn }

func (c microConn) call(p []byte) ([]byte, error) {
	m, err := c.c.Request(microSubject, p, 30*time.Second)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}

func (c microConn) close() { c.c.Close() }
