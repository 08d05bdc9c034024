package transport_test

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// BenchmarkWindowsRoundTrip is a request and an answer of 350 bytes; a bare
// pipe is the yardstick, with a length before the same bytes.
func BenchmarkWindowsRoundTrip(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		address := pipeAddress(b)
		server := makePipe(b, address, "O:"+transport.OwnSID()+"D:P(A;;FA;;;WD)")
		client := openPipe(b, address)
		defer client.Close()
		go func() {
			buf := message()
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
	for name, address := range map[string]func(testing.TB) string{"pipe": pipeAddress, "tcp": tcpAddress} {
		b.Run(name, func(b *testing.B) {
			server, client := byAddress(address)(b, nil)
			defer client.Close()
			defer server.Close()
			go func() {
				answer := message()
				for {
					if _, err := server.ReadFrame(); err != nil {
						return
					}
					server.Write(answer)
				}
			}()
			ask := message()
			b.ReportAllocs()
			for b.Loop() {
				must(b, client.Write(ask))
				if _, err := client.ReadFrame(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWindowsOneWay sends frames of one length as fast as they are read.
func BenchmarkWindowsOneWay(b *testing.B) {
	for name, address := range map[string]func(testing.TB) string{"pipe": pipeAddress, "tcp": tcpAddress} {
		b.Run(name, func(b *testing.B) {
			server, client := byAddress(address)(b, nil)
			defer server.Close()
			const size = 16 << 10
			var run []byte
			for range 4 {
				run = binary.LittleEndian.AppendUint32(run, size)
				run = append(run, make([]byte, size)...)
			}
			go func() {
				for client.Write(run) == nil {
				}
			}()
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := server.ReadFrame(); err != nil {
					b.Fatal(err)
				}
			}
			client.Close()
		})
	}
}
