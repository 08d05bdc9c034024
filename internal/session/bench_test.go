package session

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// BenchmarkCall is one call after the other, and many at once, over a Unix
// socket with both ends in this process; BenchmarkPingPong is what a plain
// net.Conn takes for the same bytes.
func BenchmarkCall(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			client, service := unixConns(b)
			c, _ := pair(b, handler{request: echo}, client, service, Options{})
			data := `["` + string(make100()) + `"]`
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range callers {
				n := b.N / callers
				if i == 0 {
					n += b.N % callers
				}
				wg.Go(func() {
					req := request(data)
					for range n {
						if _, err := c.Call(b.Context(), req); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func make100() []byte {
	text := make([]byte, 100)
	for i := range text {
		text[i] = 'x'
	}
	return text
}

func unixConns(b *testing.B) (client, service transport.Conn) {
	l, err := transport.Listen(b.Context(), "unix:"+filepath.Join(b.TempDir(), "s.sock"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan transport.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			b.Error(err)
		}
		accepted <- c
	}()
	client, err = transport.Dial(b.Context(), l.Addr(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return client, <-accepted
}

func BenchmarkPingPong(b *testing.B) {
	l, err := net.Listen("unix", filepath.Join(b.TempDir(), "s.sock"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 350)
		for {
			if _, err := io.ReadFull(c, buf); err != nil {
				return
			}
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	}()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 350)
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	<-done
}
