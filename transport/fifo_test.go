//go:build linux || darwin

package transport_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/transport/transporttest"
)

func fifoAddress(t testing.TB) string { return "fifo:" + filepath.Join(shortDir(t), "f") }

// bareByAddress makes pairs whose client is without frames.
func bareByAddress(address func(testing.TB) string) func(testing.TB, *transport.Options) (transport.Conn, transporttest.Bare) {
	return func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
		server, client := byAddress(address)(t, o)
		return server, transport.BareForTest(client)
	}
}

func userOnly() transport.Peer {
	p := own()
	p.GID, p.PID = ^uint32(0), 0
	return p
}

func TestFactsFIFO(t *testing.T) {
	transporttest.Run(t, transporttest.Transport{
		Pair: byAddress(fifoAddress),
		Raw:  bareByAddress(fifoAddress),
		Peer: userOnly(),
	})
}

func init() { localWays = append(localWays, localWay{"fifo", fifoAddress}) }

// TestF07_FramesAroundPipeBuf: eight clients send frames of about as many
// bytes as a FIFO takes without others' between them. Each frame arrives
// whole, and in its client's order.
func TestF07_FramesAroundPipeBuf(t *testing.T) {
	const writers, frames = 8, 10_000
	l := listenFor(t, fifoAddress(t), nil)
	frame := func(writer, i int) []byte {
		n := 4095 + i%3
		b := binary.LittleEndian.AppendUint32(nil, uint32(n))
		b = append(b, strings.Repeat(string(rune('a'+writer)), n)...)
		binary.LittleEndian.PutUint32(b[4:], uint32(i))
		b[len(b)-1] = '.'
		return b
	}
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			c, err := transport.Dial(context.Background(), l.Addr(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for i := range frames {
				if err := c.Write(frame(writer, i)); err != nil {
					t.Error(err)
					return
				}
			}
			c.ReadFrame() // until all were read
		})
	}
	for range writers {
		c := acceptFor(t, l)
		all.Go(func() {
			defer c.Close()
			writer := 0
			for i := range frames {
				got, err := c.ReadFrame()
				if err != nil {
					t.Errorf("frame %d: %v", i, err)
					return
				}
				if i == 0 {
					writer = int(got[4] - 'a')
				}
				if want := frame(writer, i)[4:]; string(got) != string(want) {
					t.Errorf("frame %d of writer %d is not whole", i, writer)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestF07_GarbageAtTheDoor: eight writers put lines of all lengths around
// PIPE_BUF, and the beginnings of words, into the FIFO that all clients know.
// None of it is a client, and none of it keeps a client out.
func TestF07_GarbageAtTheDoor(t *testing.T) {
	address := fifoAddress(t)
	path := strings.TrimPrefix(address, "fifo:")
	l := listenFor(t, address, nil)
	garbage := []string{
		"ekko-fifo 1 ", "\n", "ekko-fifo 1 0123456789abcdef0123456789abcdef\n", // a number that nobody has
		"\nekko-fifo 1 ../../../../../../../etc/passwd.\n", "\nekko-fifo 1 zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n",
		"\x00", strings.Repeat("y", 45),
	}
	for n := 4094; n <= 4098; n++ {
		garbage = append(garbage, strings.Repeat("x", n), strings.Repeat("x", n-1)+"\n")
	}
	var clients, writers sync.WaitGroup
	done := make(chan struct{})
	for writer := range 8 {
		writers.Go(func() {
			f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				f.WriteString(garbage[(writer+i)%len(garbage)])
			}
		})
	}
	for i := range 200 {
		clients.Go(func() {
			c, err := transport.Dial(context.Background(), address, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.Write(binary.LittleEndian.AppendUint32([]byte{4, 0, 0, 0}, uint32(i)))
		})
	}
	met := make(map[string]bool)
	for range 200 {
		c := acceptFor(t, l)
		frame, err := c.ReadFrame()
		must(t, err)
		met[string(frame)] = true
		c.Close()
	}
	clients.Wait()
	close(done)
	writers.Wait()
	if len(met) != 200 {
		t.Errorf("%d different clients were met, want 200", len(met))
	}
}

// TestF07_NoPlaceToRead: whoever writes where nobody reads does not hang.
func TestF07_NoPlaceToRead(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, "f")
	must(t, unix.Mkfifo(path, 0o600))
	if _, err := transport.Dial(t.Context(), "fifo:"+path, nil); !errors.Is(err, transport.ErrRefused) {
		t.Errorf("a FIFO without a reader: got %v, want ErrRefused", err)
	}
	for name, set := range map[string]func(path string) error{
		"open to others": func(path string) error {
			if err := unix.Mkfifo(path, 0o600); err != nil {
				return err
			}
			return os.Chmod(path, 0o622)
		},
		"a link":   func(path string) error { return os.Symlink(filepath.Join(dir, "f"), path) },
		"a file":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		path := filepath.Join(dir, name)
		must(t, set(path))
		reader, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		must(t, err)
		if _, err := transport.Dial(t.Context(), "fifo:"+path, nil); !errors.Is(err, transport.ErrUntrustedPath) {
			t.Errorf("%s: got %v, want ErrUntrustedPath", name, err)
		}
		if said, err := io.ReadAll(reader); len(said) > 0 {
			t.Errorf("%s: it was told %q, %v", name, said, err)
		}
		reader.Close()
	}
	if _, err := transport.Listen(t.Context(), fmt.Sprintf("fifo:%s/none/f", dir), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is not there: got %v", err)
	}
}

// TestF07_OtherFIFOsStay: what a listener removes is what its clients made.
func TestF07_OtherFIFOsStay(t *testing.T) {
	dir := shortDir(t)
	number := strings.Repeat("0f", 16)
	for name, stays := range map[string]bool{
		"f~" + number + "u": false, "f~" + number + "d": false,
		"f~" + number: true, "f~" + number + "x": true, "g~" + number + "u": true, "f~" + number[1:] + "zu": true, "d": true, "f~d": true,
	} {
		path := filepath.Join(dir, name)
		must(t, unix.Mkfifo(path, 0o600))
		must(t, listenFor(t, "fifo:"+filepath.Join(dir, "f"), nil).Close())
		if _, err := os.Lstat(path); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(dir, "f~"+number+"u")
	must(t, os.WriteFile(file, []byte("precious"), 0o600))
	must(t, listenFor(t, "fifo:"+filepath.Join(dir, "f"), nil).Close())
	if text, err := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("a file that is no FIFO became %q, %v", text, err)
	}
}
