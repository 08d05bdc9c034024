//go:build unix

package transport_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// BenchmarkPorts measures the ports beside a plain net.Conn over a Unix
// socket, each with a process of its own at the other end, all in turns so
// that a noisy machine treats them alike. It reports ratios of medians: the
// time of a round trip of 350 bytes to that over the net.Conn, and the bytes a
// second of frames of 1 MiB, one way, to those of plain TCP.
func BenchmarkPorts(b *testing.B) {
	w := newWorld(b, true)
	plain, secure := &transport.Options{MaxFrame: 1 << 20}, with(&transport.Options{MaxFrame: 1 << 20}, w.client)
	ends := map[string]transport.Conn{
		"unix": portFor(b, unixAddress(b), plain),
		"tcp":  portFor(b, "tcp:127.0.0.1:0", plain),
		"tls":  portFor(b, anyTLSPort, secure, w.server.CertFile, w.server.KeyFile, w.server.CAFile),
	}
	b.Run("350B", func(b *testing.B) {
		yardstick, times := netConnTrips(b), map[string][]time.Duration{}
		for b.Loop() {
			times["net.Conn"] = append(times["net.Conn"], yardstick()...)
			for name, c := range ends {
				times[name] = append(times[name], tripsOver(b, c)...)
			}
		}
		for name := range ends {
			b.ReportMetric(ratio(times[name], times["net.Conn"]), name+"/net.Conn")
		}
		b.ReportMetric(float64(median(times["net.Conn"]).Nanoseconds())/1000, "net.Conn-µs")
	})
	b.Run("1MiB", func(b *testing.B) {
		times := map[string][]time.Duration{}
		for b.Loop() {
			for name, c := range ends {
				times[name] = append(times[name], bulkOver(b, c))
			}
		}
		for _, name := range []string{"unix", "tls"} {
			b.ReportMetric(ratio(times["tcp"], times[name]), name+"/tcp")
		}
		b.ReportMetric(bulkAtOnce/median(times["tcp"]).Seconds(), "tcp-MiB/s")
	})
}

func ratio(a, b []time.Duration) float64 { return float64(median(a)) / float64(median(b)) }

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

const tripsAtOnce, bulkAtOnce = 200, 50

// portFor connects to an errand that echoes what is short, and counts what is
// long.
func portFor(b *testing.B, address string, o *transport.Options, tls ...string) transport.Conn {
	c := dialFor(b, sendOut(b, nil, "echo what is short", append([]string{address}, tls...)...).says(), o)
	b.Cleanup(func() { c.Close() })
	return c
}

func init() {
	errands["echo what is short"] = func(args []string) int {
		o := &transport.Options{MaxFrame: 1 << 20}
		if len(args) == 4 {
			o.TLS = &transport.TLSOptions{CertFile: args[1], KeyFile: args[2], CAFile: args[3], ClientCert: true}
		}
		l, err := transport.Listen(context.Background(), args[0], o)
		if err != nil {
			return failed(err)
		}
		fmt.Println(l.Addr())
		c, err := l.Accept()
		if err != nil {
			return failed(err)
		}
		l.Close()
		answer := message()
		for long := 0; ; {
			frame, err := c.ReadFrame()
			if err != nil {
				return 0
			}
			if len(frame) > 350 {
				if long++; long%bulkAtOnce != 0 {
					continue
				}
			}
			if err := c.Write(answer); err != nil {
				return failed(err)
			}
		}
	}
}

// netConnTrips is the yardstick.
func netConnTrips(b *testing.B) func() []time.Duration {
	buf := message()
	client, err := net.Dial("unix", echoing(b, unixAddress(b), "echo net.Conn", strconv.Itoa(len(buf)))[len("unix:"):])
	must(b, err)
	b.Cleanup(func() { client.Close() })
	return func() []time.Duration {
		return clocked(func() {
			client.Write(buf)
			if _, err := io.ReadFull(client, buf); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func clocked(trip func()) []time.Duration {
	times := make([]time.Duration, tripsAtOnce)
	for i := range times {
		began := time.Now()
		trip()
		times[i] = time.Since(began)
	}
	return times
}

func tripsOver(b *testing.B, c transport.Conn) []time.Duration {
	ask := message()
	return clocked(func() {
		if n, err := c.TryWrite(ask); n != len(ask) {
			b.Fatal(n, err)
		}
		if _, err := c.ReadFrame(); err != nil {
			b.Fatal(err)
		}
	})
}

// bulkOver sends frames of 1 MiB and waits for an answer to the last.
func bulkOver(b *testing.B, c transport.Conn) time.Duration {
	frame := binary.LittleEndian.AppendUint32(nil, 1<<20)
	frame = append(frame, make([]byte, 1<<20)...)
	began := time.Now()
	for range bulkAtOnce {
		must(b, c.Write(frame))
	}
	if _, err := c.ReadFrame(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
