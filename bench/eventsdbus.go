//go:build linux && (!solo || dbus)

package main

import "github.com/godbus/dbus/v5"

// Signals of D-Bus, by godbus and a dbus-daemon of its own. The handler that
// godbus has by default gives signals out of order when their reader is busy,
// so it is the one that keeps them.
func init() {
	daemon := 0
	registerEvents(&eventPeer{
		name:        "dbus",
		program:     "dbus",
		module:      "github.com/godbus/dbus/v5",
		brokerUsage: func() usage { return usageOf(daemon) },
		broker: func(dir string) (addr string, err error) {
			addr, daemon, err = startBus(dir)
			return addr, err
		},
		publish: func(_, broker string) (publisher, string, error) {
			c, err := dbus.Connect(broker)
			return busPublisher{c}, broker, err
		},
		subscribe: func(_, addr string, hear func([]byte)) error {
			c, err := dbus.Connect(addr, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
			if err != nil {
				return err
			}
			signals := make(chan *dbus.Signal, 64)
			c.Signal(signals)
			go hearSignals(signals, hear)
			return c.AddMatchSignal(dbus.WithMatchInterface(busName), dbus.WithMatchMember(tickMember))
		},
	})
}

const tickMember = "Tick"

func hearSignals(signals <-chan *dbus.Signal, hear func([]byte)) {
	for s := range signals {
		if s.Name != busName+"."+tickMember || len(s.Body) != 1 {
			continue // that the bus has given the connection its name
		}
		if text, ok := s.Body[0].(string); ok {
			hear([]byte(text))
		}
	}
}

type busPublisher struct{ c *dbus.Conn }

func (p busPublisher) publish(data []byte) error {
	return p.c.Emit(busPath, busName+"."+tickMember, string(data))
}
