package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc/transport"
)

// fds is how many descriptors this process has.
func fds(t testing.TB) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(names)
}

// sendFiles sends text with so many descriptors, as far as the other end is
// there.
func sendFiles(c *net.UnixConn, text string, n int) {
	files := make([]int, n)
	for i := range files {
		files[i] = int(os.Stdin.Fd())
	}
	var rights []byte
	if n > 0 {
		rights = unix.UnixRights(files...)
	}
	c.WriteMsgUnix([]byte(text), rights, nil)
}

// floods are how many descriptors somebody sends: the last is as many as one
// message may carry.
var floods = []int{0, 1, 2, 253}

// TestF09_FloodOfTheService: whatever descriptors clients send, before they
// have their memory, with it, and while frames go to and fro, none is kept.
func TestF09_FloodOfTheService(t *testing.T) {
	l := listenFor(t, shmAddress(t), nil)
	path := l.Addr()[len("shm:"):]
	rounds := 20
	states := []func(flood int){
		func(flood int) { // before it is accepted
			c, err := net.Dial("unix", path)
			must(t, err)
			defer c.Close()
			sendFiles(c.(*net.UnixConn), "x", flood)
			server := acceptFor(t, l)
			defer server.Close()
			server.InterruptRead()
			if _, err := server.ReadFrame(); !errors.Is(err, transport.ErrInterrupted) {
				t.Error(err)
			}
		},
		func(flood int) { // while frames go to and fro, and more bells than ever
			var server transport.Conn
			client := whileAccepting(t, l, &server, func(ctx context.Context) (*transport.BareShm, error) {
				return transport.BareShmForTest(ctx, path)
			})
			defer server.Close()
			defer client.Close()
			for range 5 {
				for range 20 {
					sendFiles(client.Conn, "xx", flood)
				}
				server.InterruptRead()
				if _, err := server.ReadFrame(); !errors.Is(err, transport.ErrInterrupted) {
					t.Error(err)
				}
				_, err := client.Write([]byte("\x01\x00\x00\x00x"))
				must(t, err)
				if frame, err := server.ReadFrame(); string(frame) != "x" || err != nil {
					t.Errorf("got %q, %v", frame, err)
				}
			}
		},
		func(flood int) { // and then it goes
			var server transport.Conn
			client := whileAccepting(t, l, &server, func(ctx context.Context) (*transport.BareShm, error) {
				return transport.BareShmForTest(ctx, path)
			})
			defer server.Close()
			sendFiles(client.Conn, "x", flood)
			client.Close()
			if frame, err := server.ReadFrame(); err != io.EOF {
				t.Errorf("got %q, %v", frame, err)
			}
		},
	}
	before := fds(t)
	for i, state := range states {
		for _, flood := range floods {
			for range rounds {
				state(flood)
			}
			if after := fds(t); after != before {
				t.Fatalf("state %d, %d descriptors a message: %d were open before, %d after", i, flood, before, after)
			}
		}
	}
}

const greeting = "ekko-shm 1\n"

// TestF09_FloodOfTheClient: a service that hands over anything but one memory
// of the right kind is refused, and nothing of it is kept.
func TestF09_FloodOfTheClient(t *testing.T) {
	good := func(*testing.T) *os.File { return memory(t, 0, whole, allSeals) }
	for name, test := range map[string]struct {
		serve func(t *testing.T, c *net.UnixConn)
		want  string
	}{
		"nothing":            {func(*testing.T, *net.UnixConn) {}, "hung up"},
		"half a greeting":    {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, greeting[:5], 0) }, "hung up"},
		"another greeting":   {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, "ekko-shm 2\n", 1) }, "another version"},
		"a frame":            {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, "\x02\x00\x00\x00{}", 0) }, "another version"},
		"no memory":          {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, greeting, 0) }, "without memory"},
		"no memory, 1 file":  {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, greeting, 1) }, "not sealed"},
		"2 files":            {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, greeting, 2) }, "other files"},
		"253 files":          {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, greeting, 253) }, "other files"},
		"files in two parts": {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, greeting[:1], 1); sendFiles(c, greeting[1:], 1) }, "other files"},
		"a file late":        {func(_ *testing.T, c *net.UnixConn) { sendFiles(c, greeting[:10], 0); sendFiles(c, greeting[10:], 253) }, "other files"},
		"memory twice":       {func(t *testing.T, c *net.UnixConn) { hand(t, c, good(t), good(t)) }, "other files"},
		"memory not sealed":  {func(t *testing.T, c *net.UnixConn) { hand(t, c, memory(t, 0, whole, 0)) }, "not sealed"},
		"memory that shrinks": {func(t *testing.T, c *net.UnixConn) {
			hand(t, c, memory(t, 0, whole, unix.F_SEAL_GROW|unix.F_SEAL_SEAL))
		}, "not sealed"},
		"memory to be sealed further": {func(t *testing.T, c *net.UnixConn) {
			hand(t, c, memory(t, 0, whole, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK))
		}, "not sealed"},
		"memory for reading": {func(t *testing.T, c *net.UnixConn) {
			m := good(t)
			r, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", m.Fd()))
			must(t, err)
			m.Close()
			hand(t, c, r)
		}, "permission denied"},
		"memory for the service to write": {func(t *testing.T, c *net.UnixConn) {
			hand(t, c, memory(t, 0, whole, allSeals|unix.F_SEAL_FUTURE_WRITE))
		}, "not permitted"},
		"too little memory": {func(t *testing.T, c *net.UnixConn) { hand(t, c, memory(t, 0, whole-1, allSeals)) }, "1052671 bytes instead of 1052672"},
		"too much memory":   {func(t *testing.T, c *net.UnixConn) { hand(t, c, memory(t, 0, 2*whole, allSeals)) }, "2105344 bytes instead of"},
		"no bytes":          {func(t *testing.T, c *net.UnixConn) { hand(t, c, memory(t, 0, 0, allSeals)) }, "0 bytes instead of"},
		"huge pages": {func(t *testing.T, c *net.UnixConn) {
			hand(t, c, memory(t, unix.MFD_HUGETLB, 2<<20, allSeals))
		}, "strange kind"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(shortDir(t), "s")
			l, err := net.Listen("unix", path)
			must(t, err)
			defer l.Close()
			before := fds(t)
			for range 20 {
				served := make(chan struct{})
				go func() {
					defer close(served)
					c, err := l.Accept()
					if err != nil {
						t.Error(err)
						return
					}
					defer c.Close()
					test.serve(t, c.(*net.UnixConn))
				}()
				c, err := transport.Dial(t.Context(), "shm:"+path, nil)
				if err == nil {
					c.Close()
					t.Fatal("was taken")
				}
				<-served
				if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "shm:"+path) {
					t.Fatalf("got %q, want it to say %q and where", err, test.want)
				}
			}
			if after := fds(t); after != before {
				t.Errorf("%d descriptors before, %d after", before, after)
			}
		})
	}
}

const (
	whole    = 4<<10 + 2*512<<10
	allSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
)

func memory(t *testing.T, flags int, size int64, seals int) *os.File {
	fd, err := unix.MemfdCreate("m", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|flags)
	if err != nil {
		t.Error(err)
		return os.NewFile(0, "none")
	}
	m := os.NewFile(uintptr(fd), "m")
	if err := m.Truncate(size); err != nil {
		t.Error(err)
	}
	if _, err := unix.FcntlInt(m.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		t.Error(err)
	}
	return m
}

// hand gives files away, with the greeting.
func hand(t *testing.T, c *net.UnixConn, files ...*os.File) {
	var numbers []int
	for _, f := range files {
		numbers = append(numbers, int(f.Fd()))
	}
	if _, _, err := c.WriteMsgUnix([]byte(greeting), unix.UnixRights(numbers...), nil); err != nil {
		t.Error(err)
	}
	for _, f := range files {
		f.Close()
	}
}

// TestShmGreetingInPieces: what is right is right in any number of pieces.
func TestShmGreetingInPieces(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	must(t, err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		m := memory(t, 0, whole, allSeals)
		defer m.Close()
		for i := range greeting {
			var rights []byte
			if i == 3 {
				rights = unix.UnixRights(int(m.Fd()))
			}
			c.(*net.UnixConn).WriteMsgUnix([]byte(greeting[i:i+1]), rights, nil)
		}
	}()
	c, err := transport.Dial(t.Context(), "shm:"+path, nil)
	must(t, err)
	defer c.Close()
	if _, err := c.ReadFrame(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

// TestShmServiceThatSaysNothing: dialling ends when the context does.
func TestShmServiceThatSaysNothing(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	must(t, err)
	defer l.Close()
	before := fds(t)
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_, err := transport.Dial(ctx, "shm:"+path, nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if after := fds(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// TestR07_PeerThatScribbles: connections whose clients write anything
// anywhere into the memory, while both ends read and write, end or carry
// frames of the right length; the service lives.
func TestR07_PeerThatScribbles(t *testing.T) {
	l := listenFor(t, shmAddress(t), nil)
	path := l.Addr()[len("shm:"):]
	before := fds(t)
	random := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		var server transport.Conn
		client := whileAccepting(t, l, &server, func(ctx context.Context) (*transport.BareShm, error) {
			return transport.BareShmForTest(ctx, path)
		})
		var stop atomic.Bool
		ended := make(chan struct{}, 3)
		go func() { // reads until there is an error
			for {
				if _, err := server.ReadFrame(); err != nil && !errors.Is(err, transport.ErrInterrupted) {
					break
				}
			}
			server.Close()
			ended <- struct{}{}
		}()
		go func() {
			frames := bytes.Repeat([]byte("\x03\x00\x00\x00abc"), 100)
			for server.Write(frames) == nil {
			}
			ended <- struct{}{}
		}()
		seed := random.Uint64()
		go func() {
			random := rand.New(rand.NewPCG(5, seed))
			for !stop.Load() {
				for range 100 {
					at := random.IntN(1024)
					if random.IntN(2) == 0 {
						at = random.IntN(len(client.Memory))
					}
					client.Memory[at] = byte(random.Uint32())
				}
				sendFiles(client.Conn, "x", 0)
			}
			ended <- struct{}{}
		}()
		for range 200 {
			server.InterruptRead()
		}
		stop.Store(true)
		client.Conn.Close()
		for range 3 {
			<-ended
		}
		client.Close()
	}
	if after := fds(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
