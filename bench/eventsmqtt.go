//go:build linux && (!solo || mqtt)

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Mosquitto of this machine, on a Unix socket, by the Go client of Eclipse
// Paho; once at most once, once with acknowledgements at each hop.
func init() {
	for qos := range byte(2) {
		daemon := 0
		registerEvents(&eventPeer{
			name:        fmt.Sprintf("mosquitto-%d", qos),
			program:     "mqtt",
			absent:      noMosquitto,
			version:     mosquittoVersion,
			brokerUsage: func() usage { return usageOf(daemon) },
			broker: func(dir string) (addr string, err error) {
				addr, daemon, err = startMosquitto(dir)
				return addr, err
			},
			publish: func(_, broker string) (publisher, string, error) {
				c, err := dialMosquitto(broker)
				return mqttPublisher{c, qos}, broker, err
			},
			subscribe: func(_, addr string, hear func([]byte)) error {
				c, err := dialMosquitto(addr)
				if err != nil {
					return err
				}
				t := c.Subscribe(tickTopic, qos, func(_ mqtt.Client, m mqtt.Message) { hear(m.Payload()) })
				return settled(t)
			},
		})
	}
}

const tickTopic = "events/tick"

// mosquittoConfig has limits that nobody reaches.
const mosquittoConfig = `listener 0 %s
allow_anonymous true
user root
max_queued_messages 0
max_connections -1
`

func mosquittoProgram() (string, error) {
	if path, err := exec.LookPath("mosquitto"); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/mosquitto") // where Debian has it, and a user's path does not lead
}

func noMosquitto() string {
	if _, err := mosquittoProgram(); err != nil {
		return "mosquitto is not installed"
	}
	return ""
}

// mosquittoVersion is "2.0.11" of "mosquitto version 2.0.11".
func mosquittoVersion() string {
	path, err := mosquittoProgram()
	if err != nil {
		return ""
	}
	text, _ := exec.Command(path, "-h").CombinedOutput() // which ends with an error
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(line, "mosquitto version ")
}

// startMosquitto starts one that ends with this process, and returns its
// address and its process id when it can be connected to.
func startMosquitto(dir string) (addr string, pid int, err error) {
	path, err := mosquittoProgram()
	if err != nil {
		return "", 0, err
	}
	config, socket := filepath.Join(dir, "mosquitto.conf"), filepath.Join(dir, "mosquitto.sock")
	if err := os.WriteFile(config, fmt.Appendf(nil, mosquittoConfig, socket), 0o600); err != nil {
		return "", 0, err
	}
	log, err := os.Create(filepath.Join(dir, "mosquitto.log"))
	if err != nil {
		return "", 0, err
	}
	defer log.Close()
	cmd := exec.Command(path, "-c", config)
	cmd.Stdout, cmd.Stderr = log, log
	if err := startWithUs(cmd); err != nil {
		return "", 0, err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return "unix://" + socket, cmd.Process.Pid, nil
		}
	}
	said, _ := os.ReadFile(log.Name())
	return "", 0, fmt.Errorf("mosquitto does not listen: %s", said)
}

func dialMosquitto(addr string) (mqtt.Client, error) {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(addr).SetClientID("").SetAutoReconnect(false))
	return c, settled(c.Connect())
}

func settled(t mqtt.Token) error {
	if !t.WaitTimeout(10 * time.Second) {
		return errors.New("mosquitto does not answer within 10 s")
	}
	return t.Error()
}

type mqttPublisher struct {
	c   mqtt.Client
	qos byte
}

// publish does not wait for the acknowledgement: how far the subscribers are
// says more. The client keeps what it is given.
func (p mqttPublisher) publish(data []byte) error {
	t := p.c.Publish(tickTopic, p.qos, false, bytes.Clone(data))
	select {
	case <-t.Done():
		return t.Error()
	default:
		return nil
	}
}
