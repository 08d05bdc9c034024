//go:build !solo || nats || natsmicro

package main

import (
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsBroker is a NATS server in a process of its own, on the loopback
// interface: NATS has no Unix sockets. It takes the largest payload.
func natsBroker(string) (string, error) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		NoLog: true, NoSigs: true, MaxConn: 1 << 16, MaxPayload: 4 << 20,
	})
	if err != nil {
		return "", err
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return "", errors.New("nats-server is not ready after 10 s")
	}
	return s.ClientURL(), nil
}
