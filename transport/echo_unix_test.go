//go:build unix

package transport_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// echoSizes are the lengths of the frames that BenchmarkEcho sends.
var echoSizes = []struct {
	name string
	n    int
}{{"100B", 100}, {"350B", 350}, {"10KiB", 10 << 10}, {"1MiB", 1 << 20}}

// BenchmarkEcho sends a frame to another process, which sends it back;
// net.Conn, with a buffer of just that length at both ends, is the yardstick.
// What is to be compared is to be run by turns.
func BenchmarkEcho(b *testing.B) {
	for _, size := range echoSizes {
		frame := binary.LittleEndian.AppendUint32(nil, uint32(size.n))
		frame = append(frame, make([]byte, size.n)...)
		b.Run(size.name+"/net.Conn", func(b *testing.B) {
			address := echoing(b, unixAddress(b), "echo net.Conn", strconv.Itoa(len(frame)))
			c, err := net.Dial("unix", address[len("unix:"):])
			must(b, err)
			defer c.Close()
			b.SetBytes(int64(2 * len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(frame); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, frame); err != nil {
					b.Fatal(err)
				}
			}
		})
		for _, way := range slices.Concat(localWays, handedOver) {
			b.Run(size.name+"/"+way.name, func(b *testing.B) {
				c := dialFor(b, echoing(b, way.address(b), "echo frames"), echoOptions)
				defer c.Close()
				b.SetBytes(int64(2 * len(frame)))
				b.ReportAllocs()
				for b.Loop() {
					if err := c.Write(frame); err != nil {
						b.Fatal(err)
					}
					if got, err := c.ReadFrame(); err != nil || len(got) != size.n {
						b.Fatal(len(got), err)
					}
				}
			})
		}
	}
}

// BenchmarkTurns sends and gets back frames over each transport by turns, and
// reports how long the middle one of the round trips took, as a share of that
// over net.Conn: what the machine does besides hits all of them alike.
func BenchmarkTurns(b *testing.B) {
	for _, size := range echoSizes {
		b.Run(size.name, func(b *testing.B) {
			frame := binary.LittleEndian.AppendUint32(nil, uint32(size.n))
			frame = append(frame, make([]byte, size.n)...)
			plain, err := net.Dial("unix", echoing(b, unixAddress(b), "echo net.Conn", strconv.Itoa(len(frame)))[len("unix:"):])
			must(b, err)
			defer plain.Close()
			names := []string{"net.Conn"}
			trips := []func(){func() {
				plain.Write(frame)
				if _, err := io.ReadFull(plain, frame); err != nil {
					b.Fatal(err)
				}
			}}
			for _, way := range slices.Concat(localWays, handedOver) {
				c := dialFor(b, echoing(b, way.address(b), "echo frames"), echoOptions)
				defer c.Close()
				names = append(names, way.name)
				trips = append(trips, func() {
					c.Write(frame)
					if got, err := c.ReadFrame(); err != nil || len(got) != size.n {
						b.Fatal(len(got), err)
					}
				})
			}
			took := make([][]time.Duration, len(trips))
			for b.Loop() {
				for i, trip := range trips {
					for range 50 { // the first one wakes a process that has slept
						start := time.Now()
						trip()
						took[i] = append(took[i], time.Since(start))
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			for i, name := range names {
				slices.Sort(took[i])
				b.ReportMetric(float64(took[i][len(took[i])/2])/float64(took[0][len(took[0])/2]), name)
			}
			b.ReportMetric(float64(took[0][len(took[0])/2]), "net.Conn-ns")
		})
	}
}

// BenchmarkOneWayLocal is BenchmarkOneWay over the other transports.
func BenchmarkOneWayLocal(b *testing.B) {
	for _, n := range []int{100, 350, 16 << 10, 1 << 20} {
		for _, way := range localWays {
			b.Run(strconv.Itoa(n)+"/"+way.name, func(b *testing.B) { oneWay(b, way.address, n) })
		}
	}
}

// handedOver are the transports of one machine whose Dial waits until the
// connection is accepted.
var handedOver []localWay

var echoOptions = &transport.Options{MaxFrame: transport.MaxMaxFrame}

// echoing starts the errand and returns the address that it serves.
func echoing(t testing.TB, address, errand string, args ...string) string {
	t.Helper()
	sendOut(t, nil, errand, append([]string{address}, args...)...).expect("listening")
	return address
}

// echoFrame sends a frame back as it lies in the connection's memory: a short
// one with its length in one piece, a long one after its length.
func echoFrame(c transport.Conn, frame, piece []byte) error {
	piece = binary.LittleEndian.AppendUint32(piece[:0], uint32(len(frame)))
	if 4+len(frame) <= cap(piece) {
		return c.Write(append(piece, frame...))
	}
	if n, err := c.TryWrite(piece); n == len(piece) || err != nil {
		if err != nil {
			return err
		}
		return c.Write(frame)
	}
	return fmt.Errorf("no room for a length")
}

func init() {
	// echo frames with a second argument never looks again before it waits.
	errands["echo frames"] = func(args []string) int {
		if len(args) > 1 {
			transport.NoSpinForTest()
		}
		l, err := transport.Listen(context.Background(), args[0], echoOptions)
		if err != nil {
			return failed(err)
		}
		fmt.Println("listening")
		c, err := l.Accept()
		if err != nil {
			return failed(err)
		}
		l.Close()
		piece := make([]byte, 0, 32<<10)
		for {
			frame, err := c.ReadFrame()
			if err != nil {
				return 0
			}
			if err := echoFrame(c, frame, piece); err != nil {
				return failed(err)
			}
		}
	}
	// drink frames answers as many frames as its second argument says with an
	// empty one.
	errands["drink frames"] = func(args []string) int {
		many, err := strconv.Atoi(args[1])
		if err != nil {
			return failed(err)
		}
		l, err := transport.Listen(context.Background(), args[0], echoOptions)
		if err != nil {
			return failed(err)
		}
		fmt.Println("listening")
		c, err := l.Accept()
		if err != nil {
			return failed(err)
		}
		l.Close()
		for n := 1; ; n++ {
			if _, err := c.ReadFrame(); err != nil {
				return 0
			}
			if n%many == 0 {
				if err := c.Write(make([]byte, 4)); err != nil {
					return failed(err)
				}
			}
		}
	}
	// echo net.Conn knows how long what it gets is.
	errands["echo net.Conn"] = func(args []string) int {
		size, err := strconv.Atoi(args[1])
		if err != nil {
			return failed(err)
		}
		l, err := net.Listen("unix", args[0][len("unix:"):])
		if err != nil {
			return failed(err)
		}
		fmt.Println("listening")
		c, err := l.Accept()
		if err != nil {
			return failed(err)
		}
		l.Close()
		buf := make([]byte, size)
		for {
			if _, err := io.ReadFull(c, buf); err != nil {
				return 0
			}
			if _, err := c.Write(buf); err != nil {
				return failed(err)
			}
		}
	}
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
