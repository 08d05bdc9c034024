//go:build !solo || nats

package main

import "github.com/nats-io/nats.go"

// NATS with its defaults: core publish and subscribe, no acknowledgements.
func init() {
	registerEvents(&eventPeer{
		name:    "nats",
		program: "nats",
		module:  "github.com/nats-io/nats-server/v2",
		broker:  natsBroker,
		publish: func(_, broker string) (publisher, string, error) {
			c, err := nats.Connect(broker)
			return natsPublisher{c}, broker, err
		},
		subscribe: func(_, addr string, hear func([]byte)) error {
			c, err := nats.Connect(addr)
			if err != nil {
				return err
			}
			if _, err := c.Subscribe(tickSubject, func(m *nats.Msg) { hear(m.Data) }); err != nil {
				return err
			}
			return c.Flush()
		},
	})
}

const tickSubject = "events.tick"

type natsPublisher struct{ c *nats.Conn }

func (p natsPublisher) publish(data []byte) error { return p.c.Publish(tickSubject, data) }
