package transport_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/transport/transporttest"
)

func shmAddress(t testing.TB) string { return "shm:" + filepath.Join(shortDir(t), "s") }

// shmPair dials while the other end accepts: only then is there memory.
func shmPair(t testing.TB, o *transport.Options) (server, client transport.Conn) {
	t.Helper()
	l := listenFor(t, shmAddress(t), o)
	client = whileAccepting(t, l, &server, func(ctx context.Context) (transport.Conn, error) {
		return transport.Dial(ctx, l.Addr(), o)
	})
	l.Close()
	return server, client
}

// whileAccepting runs dial and accepts one connection meanwhile.
func whileAccepting[C any](t testing.TB, l transport.Listener, server *transport.Conn, dial func(context.Context) (C, error)) C {
	t.Helper()
	accepted := make(chan error, 1)
	go func() {
		var err error
		*server, err = l.Accept()
		accepted <- err
	}()
	client, err := dial(t.Context())
	must(t, err)
	must(t, <-accepted)
	return client
}

func TestFactsShm(t *testing.T) {
	transporttest.Run(t, transporttest.Transport{
		Pair: shmPair,
		Raw: func(t testing.TB, o *transport.Options) (server transport.Conn, _ transporttest.Bare) {
			l := listenFor(t, shmAddress(t), o)
			client := whileAccepting(t, l, &server, func(ctx context.Context) (*transport.BareShm, error) {
				return transport.BareShmForTest(ctx, l.Addr()[len("shm:"):])
			})
			l.Close()
			return server, client
		},
		Peer: own(),
	})
}

// TestShmWakesWhomItShould: no wake-up is lost, whether one looks again before
// he waits or not, and whoever waits for what.
func TestShmWakesWhomItShould(t *testing.T) {
	t.Run("looking again", wakes)
	t.Run("still", func(t *testing.T) {
		defer transport.NoSpinForTest()()
		wakes(t)
	})
}

func wakes(t *testing.T) {
	const trips = 20_000
	t.Run("in turns", func(t *testing.T) {
		server, client := shmPair(t, nil)
		defer server.Close()
		defer client.Close()
		go func() {
			for {
				frame, err := server.ReadFrame()
				if err != nil || echoFrame(server, frame, make([]byte, 0, 4<<10)) != nil {
					return
				}
			}
		}()
		for i := range trips {
			ask := binary.LittleEndian.AppendUint32(nil, uint32(i%1000))
			ask = append(ask, make([]byte, i%1000)...)
			must(t, client.Write(ask))
			if frame, err := client.ReadFrame(); err != nil || len(frame) != i%1000 {
				t.Fatal(len(frame), err)
			}
		}
	})
	// The writer waits for room, again and again, and nobody reads at its end,
	// or somebody waits there, too.
	for name, read := range map[string]bool{"one way": false, "one way, and a reader who waits": true} {
		t.Run(name, func(t *testing.T) {
			server, client := shmPair(t, &transport.Options{MaxFrame: transport.MaxMaxFrame})
			defer server.Close()
			defer client.Close()
			ended := make(chan error, 1)
			if read {
				go func() {
					frame, err := client.ReadFrame()
					if string(frame) != "end" {
						err = fmt.Errorf("got %q, %v", frame, err)
					}
					ended <- err
				}()
			} else {
				ended <- nil
			}
			const n = 300
			frame := binary.LittleEndian.AppendUint32(nil, 3<<20)
			frame = append(frame, bytes.Repeat([]byte{'x'}, 3<<20)...)
			wrote := make(chan error, 1)
			go func() {
				var err error
				for i := 0; i < n && err == nil; i++ {
					err = client.Write(frame)
				}
				wrote <- err
			}()
			for range n {
				if got, err := server.ReadFrame(); err != nil || len(got) != 3<<20 {
					t.Fatal(len(got), err)
				}
			}
			must(t, <-wrote)
			must(t, server.Write([]byte("\x03\x00\x00\x00end")))
			must(t, <-ended)
		})
	}
}

// TestShmIdle: an end that waits does nothing, however long.
func TestShmIdle(t *testing.T) {
	server, client := shmPair(t, nil)
	defer client.Close()
	must(t, client.Write([]byte("\x01\x00\x00\x00x")))
	looks, asleep := transport.WaitsForTest(server)
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := server.ReadFrame(); err != nil {
				ended <- err
				return
			}
		}
	}()
	for !asleep() {
		runtime.Gosched()
	}
	before := looks()
	// Another connection tells that some time has passed.
	late, slow := shmPair(t, &transport.Options{FrameTimeout: 300 * time.Millisecond})
	defer late.Close()
	defer slow.Close()
	if _, err := slow.TryWrite([]byte{5, 0, 0, 0, 'x'}); err != nil {
		t.Fatal(err)
	}
	if _, err := late.ReadFrame(); !errors.Is(err, transport.ErrFrameTimeout) {
		t.Fatal(err)
	}
	if after := looks(); after != before {
		t.Errorf("an end that waits looked %d times for something", after-before)
	}
	client.Close()
	if err := <-ended; err != io.EOF {
		t.Error(err)
	}
	server.Close()
}

// TestShmNarrow: a connection over which little goes at a time touches little
// of its memory, and gives back what one long frame took.
func TestShmNarrow(t *testing.T) {
	server, client := shmPair(t, nil)
	defer server.Close()
	defer client.Close()
	trips := func(n, size int) {
		t.Helper()
		ask := append(binary.LittleEndian.AppendUint32(nil, uint32(size)), make([]byte, size)...)
		for range n {
			for _, way := range [][2]transport.Conn{{client, server}, {server, client}} {
				must(t, way[0].Write(ask))
				if frame, err := way[1].ReadFrame(); err != nil || len(frame) != size {
					t.Fatal(len(frame), err)
				}
			}
		}
	}
	for range 3 {
		trips(3000, 1000) // 3 MB each way
		if n := transport.TouchedForTest(t, client); n > 40<<10 && os.Getpagesize() == 4<<10 {
			t.Errorf("after short frames %d bytes are in memory", n)
		}
		trips(4, 200<<10)
		if n := transport.TouchedForTest(t, client); n < 400<<10 {
			t.Errorf("after long frames %d bytes are in memory: they went another way", n)
		}
	}
}

// TestShmKilled: the death of either end is noticed by the other, whatever it
// did, and leaves nothing in the way.
func TestShmKilled(t *testing.T) {
	t.Run("the service", func(t *testing.T) {
		address := shmAddress(t)
		for range 3 {
			e := sendOut(t, nil, "echo frames", address)
			e.expect("listening")
			c := dialFor(t, address, echoOptions)
			for range 10 {
				must(t, c.Write([]byte("\x01\x00\x00\x00x")))
				if frame, err := c.ReadFrame(); string(frame) != "x" || err != nil {
					t.Fatalf("%q, %v", frame, err)
				}
			}
			ended := make(chan error, 1)
			go func() {
				_, err := c.ReadFrame()
				ended <- err
			}()
			must(t, e.cmd.Process.Kill())
			if err := <-ended; err != io.EOF {
				t.Error("reading:", err)
			}
			for err := error(nil); err == nil; err = c.Write(make([]byte, 4)) {
			}
			c.Close()
		}
	})
	t.Run("the client", func(t *testing.T) {
		for _, test := range []struct {
			sends string
			want  error
		}{{"whole", io.EOF}, {"part", io.ErrUnexpectedEOF}} {
			l := listenFor(t, shmAddress(t), echoOptions)
			e := sendOut(t, nil, "dial and wait", l.Addr(), test.sends)
			server := acceptFor(t, l)
			e.expect("sent")
			if frame, err := server.ReadFrame(); string(frame) != "x" || err != nil {
				t.Errorf("%q, %v", frame, err)
			}
			must(t, e.cmd.Process.Kill())
			if frame, err := server.ReadFrame(); err != test.want {
				t.Errorf("%s: %q, %v", test.sends, frame, err)
			}
			// Nobody is there to read: not for ever.
			full := make([]byte, 4+1<<20)
			full[2] = 16
			for err := error(nil); err == nil; err = server.Write(full) {
			}
			server.Close()
			l.Close()
		}
	})
}

func init() {
	handedOver = append(handedOver, localWay{"shm", shmAddress})

	// dial and wait sends a frame, and perhaps a part of another.
	errands["dial and wait"] = func(args []string) int {
		c, err := transport.Dial(context.Background(), args[0], nil)
		if err != nil {
			return failed(err)
		}
		frames := "\x01\x00\x00\x00x"
		if args[1] == "part" {
			frames += "\x05\x00\x00\x00x"
		}
		if n, err := c.TryWrite([]byte(frames)); n != len(frames) || err != nil {
			return failed(err)
		}
		fmt.Println("sent")
		c.ReadFrame()
		return 0
	}
}

func TestShmRefuses(t *testing.T) {
	l := listenFor(t, shmAddress(t), nil)
	_, err := transport.Dial(t.Context(), l.Addr(), &transport.Options{TrustUID: func(uint32) bool { return false }})
	if !errors.Is(err, transport.ErrUntrustedPeer) || !strings.Contains(err.Error(), l.Addr()) {
		t.Error("a service of another user:", err)
	}
	if _, err := transport.Listen(t.Context(), l.Addr(), nil); !errors.Is(err, transport.ErrAddressInUse) {
		t.Error("an address that is served:", err)
	}
	if _, err := transport.Dial(t.Context(), shmAddress(t), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error("an address that is not there:", err)
	}
	before := fds(t)
	must(t, l.Close())
	if after := fds(t); after >= before {
		t.Errorf("%d descriptors before Close, %d after", before, after)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error("Accept after Close:", err)
	}
	left, err := os.ReadDir(filepath.Dir(l.Addr()[len("shm:"):]))
	must(t, err)
	if len(left) > 0 {
		t.Error("left on disk:", left)
	}
}

// TestShmWriterDoesNotTakeTheReadersBell: a writer that clears the bells away
// has the reader look again, for which one of them may have been.
func TestShmWriterDoesNotTakeTheReadersBell(t *testing.T) {
	server, client := shmPair(t, nil)
	defer server.Close()
	must(t, client.Write([]byte("\x01\x00\x00\x00x")))
	looks, asleep := transport.WaitsForTest(server)
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, err = server.ReadFrame()
		}
		ended <- err
	}()
	for !asleep() {
		runtime.Gosched()
	}
	before := looks()
	transport.WriterWaitsForTest(server)
	for looks() == before {
		runtime.Gosched()
	}
	client.Close()
	if err := <-ended; err != io.EOF {
		t.Error(err)
	}
}
