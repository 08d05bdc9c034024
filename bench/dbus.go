//go:build linux && (!solo || dbus)

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"
)

// The peer is godbus through a dbus-daemon of its own, which is the reference
// implementation of the message bus. The payload is a string.
func init() {
	daemon := 0
	register(&peer{
		name:        "dbus",
		program:     "dbus",
		module:      "github.com/godbus/dbus/v5",
		brokerUsage: func() usage { return usageOf(daemon) },
		broker: func(dir string) (addr string, err error) {
			addr, daemon, err = startBus(dir)
			return addr, err
		},
		serve: func(_, broker string) (string, error) {
			c, err := dbus.Connect(broker)
			if err != nil {
				return "", err
			}
			if err := c.Export(busEcho{}, busPath, busName); err != nil {
				return "", err
			}
			_, err = c.RequestName(busName, dbus.NameFlagDoNotQueue)
			return broker, err
		},
		dial: func(addr string) (conn, error) {
			c, err := dbus.Connect(addr)
			if err != nil {
				return nil, err
			}
			return busConn{c, c.Object(busName, busPath)}, nil
		},
	})
}

const (
	busName = "bench.Echo"
	busPath = dbus.ObjectPath("/bench/Echo")
)

// busConfig is that of a session bus, with everything allowed and limits that
// nobody reaches.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">100000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_incomplete_connections">10000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
`

// startBus starts a dbus-daemon that ends with this process, and returns its
// address and its process id.
func startBus(dir string) (addr string, pid int, err error) {
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, filepath.Join(dir, "bus.sock")), 0o600); err != nil {
		return "", 0, err
	}
	cmd := exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file="+config)
	log, err := os.Create(filepath.Join(dir, "bus.log")) // as root it complains of a limit that it cannot raise
	if err != nil {
		return "", 0, err
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, err
	}
	if err := startWithUs(cmd); err != nil {
		return "", 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		said, _ := os.ReadFile(log.Name())
		return "", 0, fmt.Errorf("dbus-daemon names no address: %w: %s", err, said)
	}
	return strings.TrimSpace(line), cmd.Process.Pid, nil
}

type busEcho struct{}

// Echo is the method that godbus finds by reflection.
func (busEcho) Echo(value string) (string, *dbus.Error) { return value, nil }

type busConn struct {
	c *dbus.Conn
	o dbus.BusObject
}

func (c busConn) call(p []byte) ([]byte, error) {
	var out string
	err := c.o.Call(busName+".Echo", 0, string(p)).Store(&out)
	return []byte(out), err
}

func (c busConn) close() { c.c.Close() }
