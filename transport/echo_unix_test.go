//go:build unix

package transport_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"

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
		for _, way := range echoWays {
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

// echoWays are the transports that BenchmarkEcho measures.
var echoWays = []echoWay{{"unix", unixAddress}}

type echoWay struct {
	name    string
	address func(testing.TB) string
}

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
	errands["echo frames"] = func(args []string) int {
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
