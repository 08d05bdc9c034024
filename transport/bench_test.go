package transport_test

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// message is as long as a usual request with its envelope.
func message() []byte {
	b := make([]byte, 4+350)
	binary.LittleEndian.PutUint32(b, 350)
	return b
}

// BenchmarkRoundTrip is a request and an answer of 350 bytes; net.Conn is the
// yardstick, with a length before the same bytes.
func BenchmarkRoundTrip(b *testing.B) {
	notOnWindows(b, "a Unix socket of ours")
	b.Run("net.Conn", func(b *testing.B) {
		l, err := net.Listen("unix", filepath.Join(shortDir(b), "s"))
		must(b, err)
		defer l.Close()
		client, err := net.Dial("unix", l.Addr().String())
		must(b, err)
		defer client.Close()
		server, err := l.Accept()
		must(b, err)
		defer server.Close()
		go func() {
			buf := make([]byte, 354)
			for {
				if _, err := io.ReadFull(server, buf); err != nil {
					return
				}
				server.Write(buf)
			}
		}()
		buf := message()
		b.ReportAllocs()
		for b.Loop() {
			client.Write(buf)
			if _, err := io.ReadFull(client, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, pair := range map[string]func(testing.TB, *transport.Options) (server, client transport.Conn){
		"unix": byAddress(unixAddress),
		"tcp":  byAddress(tcpAddress),
		"mem": func(_ testing.TB, o *transport.Options) (server, client transport.Conn) {
			return transport.Pair(o)
		},
	} {
		b.Run(name, func(b *testing.B) {
			server, client := pair(b, nil)
			defer client.Close()
			defer server.Close()
			go func() {
				answer := message()
				for {
					if _, err := server.ReadFrame(); err != nil {
						return
					}
					server.TryWrite(answer)
				}
			}()
			ask := message()
			must(b, client.Write(ask))
			if _, err := client.ReadFrame(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if n, err := client.TryWrite(ask); n != len(ask) {
					b.Fatal(n, err)
				}
				if _, err := client.ReadFrame(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOneWay sends frames of one length as fast as they are read.
func BenchmarkOneWay(b *testing.B) {
	notOnWindows(b, "a Unix socket of ours")
	for _, size := range []struct {
		name string
		n    int
	}{{"100B", 100}, {"16KiB", 16 << 10}, {"1MiB", 1 << 20}} {
		b.Run(size.name, func(b *testing.B) { oneWay(b, unixAddress, size.n) })
	}
}

func oneWay(b *testing.B, address func(testing.TB) string, n int) {
	server, client := byAddress(address)(b, nil)
	defer server.Close()
	run := make([]byte, 0, 64<<10)
	frames := 0
	for frames == 0 || len(run)+4+n <= 64<<10 {
		run = binary.LittleEndian.AppendUint32(run, uint32(n))
		run = append(run, make([]byte, n)...)
		frames++
	}
	go func() {
		for client.Write(run) == nil {
		}
	}()
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := server.ReadFrame(); err != nil {
			b.Fatal(err)
		}
	}
	client.Close()
}

// BenchmarkIdle measures what the end of a connection costs that waits,
// without the stack of its goroutine and the kernel's part.
func BenchmarkIdle(b *testing.B) {
	notOnWindows(b, "a Unix socket of ours")
	b.Run("quiet", func(b *testing.B) { idle(b, 60) })
	b.Run("watched", func(b *testing.B) {
		defer transport.NoQuietForTest()()
		idle(b, 1000)
	})
}

func idle(b *testing.B, n int) {
	for b.Loop() {
		l := listenFor(b, unixAddress(b), nil)
		conns := make([]transport.Conn, 0, 2*n)
		before := live()
		for range n {
			c := dialFor(b, l.Addr(), nil)
			s := acceptFor(b, l)
			must(b, c.Write(message()))
			if _, err := s.ReadFrame(); err != nil {
				b.Fatal(err)
			}
			conns = append(conns, c, s)
		}
		waiting := make(chan struct{}, n)
		for i := 1; i < len(conns); i += 2 {
			go func() {
				conns[i].InterruptRead()
				conns[i].ReadFrame()
				waiting <- struct{}{}
				conns[i].ReadFrame()
				waiting <- struct{}{}
			}()
		}
		for range n {
			<-waiting
		}
		b.ReportMetric(float64(live()-before)/float64(2*n), "B/end")
		for _, c := range conns {
			c.Close()
		}
		for range n {
			<-waiting
		}
		l.Close()
	}
}

// live is how much of the heap is in use.
func live() uint64 {
	runtime.GC()
	runtime.GC() // the second empties the pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
