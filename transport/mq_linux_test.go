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
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/transport/transporttest"
)

// mqNumber makes names that no other test run has.
var mqNumber atomic.Int64

func mqAddress(testing.TB) string {
	return fmt.Sprintf("mq:test.%d.%d", syscall.Getpid(), mqNumber.Add(1))
}

// TestFactsMQ has few connections at once, and alone: those of a user have to do
// with 819,200 bytes together, whatever else runs as that user.
func TestFactsMQ(t *testing.T) {
	alone, err := os.OpenFile(filepath.Join(os.TempDir(), fmt.Sprintf("ekko-mq-test-%d", os.Geteuid())), os.O_RDWR|os.O_CREATE, 0o600)
	must(t, err)
	defer alone.Close()
	must(t, unix.Flock(int(alone.Fd()), unix.LOCK_EX))
	transporttest.Run(t, transporttest.Transport{
		Pair: byAddress(mqAddress),
		Raw:  bareByAddress(mqAddress),
		Peer: func() transport.Peer { p := own(); p.GID = ^uint32(0); return p }(),
		Many: 8,
	})
}

func init() {
	localWays = append(localWays, localWay{"mq", mqAddress})
	leftOtherwise = func(address string, names *[]string) bool {
		name, ok := strings.CutPrefix(address, "mq:")
		if ok {
			*names = transport.QueuesForTest(name)
		}
		return ok
	}
}

// TestR09_LimitsAreExplained: what is to be raised is told, and not taken for
// a want of descriptors, which would pass.
func TestR09_LimitsAreExplained(t *testing.T) {
	l := listenFor(t, mqAddress(t), nil)
	var old unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &old))
	defer unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &old)
	must(t, unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &unix.Rlimit{Cur: 1000, Max: old.Max}))
	_, err := transport.Dial(t.Context(), l.Addr(), nil)
	if err == nil || errors.Is(err, syscall.EMFILE) {
		t.Errorf("Dial: got %v", err)
	}
	for _, want := range []string{"RLIMIT_MSGQUEUE", "1000 bytes", "ulimit -q"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("Dial: %v does not say %q", err, want)
		}
	}
	if left := leftAt(l.Addr()); pairThere(left) || len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
	for errno, wants := range map[syscall.Errno][]string{
		syscall.ENOSPC: {"fs.mqueue.queues_max", "sysctl", strings.TrimSpace(limitOf(t, "queues_max"))},
		syscall.EINVAL: {"fs.mqueue.msg_max", "fs.mqueue.msgsize_max", strings.TrimSpace(limitOf(t, "msgsize_max"))},
		syscall.ENOSYS: {"unix:"},
		syscall.EACCES: {"another user"},
	} {
		for _, want := range wants {
			if err := transport.MQErrorForTest("x", errno); !strings.Contains(err.Error(), want) {
				t.Errorf("%v is explained as %q, which lacks %q", errno, err, want)
			}
		}
	}
}

func limitOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/fs/mqueue/" + name)
	must(t, err)
	return string(text)
}

// TestR09_FullQueue: a queue that nobody reads takes so much, and then a write
// gives up in time; the end still finds its place.
func TestR09_FullQueue(t *testing.T) {
	server, client := byAddress(mqAddress)(t, &transport.Options{WriteTimeout: 30 * time.Millisecond})
	defer server.Close()
	must(t, client.Write(oneFrame(0)))
	if _, err := server.ReadFrame(); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for n, frame := 1, oneFrame(1000); n > 0; sent += n {
		var err error
		n, err = client.TryWrite(frame)
		must(t, err)
	}
	if sent == 0 || sent > 64<<10 {
		t.Errorf("a queue took %d bytes", sent)
	}
	if err := client.Write(oneFrame(1000)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: got %v, want a deadline exceeded", err)
	}
	client.Close()
	for got := 0; ; got++ {
		if _, err := server.ReadFrame(); err != nil {
			if err != io.EOF && err != io.ErrUnexpectedEOF || got != sent/1004 {
				t.Errorf("after %d frames of %d bytes in all: %v", got, sent, err)
			}
			return
		}
	}
}

func oneFrame(n int) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(n)), make([]byte, n)...)
}

// TestR09_OnlyOnesOwnQueues: a queue that another user made, or that others
// may open, is not spoken to.
func TestR09_OnlyOnesOwnQueues(t *testing.T) {
	refused := func(t *testing.T, address string) {
		t.Helper()
		if l, err := transport.Listen(t.Context(), address, nil); !errors.Is(err, transport.ErrUntrustedPath) {
			t.Errorf("Listen: got %v, %v, want ErrUntrustedPath", l, err)
		}
		if _, err := transport.Dial(t.Context(), address, nil); !errors.Is(err, transport.ErrUntrustedPath) {
			t.Errorf("Dial: got %v, want ErrUntrustedPath", err)
		}
	}
	t.Run("open to others", func(t *testing.T) {
		address := mqAddress(t)
		queue := fmt.Sprintf("ekko-%d-%s", os.Geteuid(), strings.TrimPrefix(address, "mq:"))
		fd, err := transport.MakeQueueForTest(queue, 0o622, 5, 100)
		must(t, err)
		defer unix.Close(fd)
		defer transport.RemoveQueueForTest(queue)
		refused(t, address)
		must(t, unix.Fchmod(fd, 0o600))
		listenFor(t, address, nil).Close() // a queue that nobody reads is replaced
	})
	t.Run("of another user", func(t *testing.T) {
		needRoot(t)
		address := mqAddress(t)
		queue := "ekko-0-" + strings.TrimPrefix(address, "mq:")
		squatter := sendOut(t, as(stranger), "make queue", queue)
		squatter.expect("made")
		defer transport.RemoveQueueForTest(queue)
		refused(t, address)
	})
	t.Run("places of another user", func(t *testing.T) {
		needRoot(t)
		address := mqAddress(t)
		queue := "ekko-0-" + strings.TrimPrefix(address, "mq:") + "~0d"
		squatter := sendOut(t, as(stranger), "make queue", queue)
		squatter.expect("made")
		defer transport.RemoveQueueForTest(queue)
		l := listenFor(t, address, nil)
		c := dialFor(t, address, nil) // goes elsewhere
		defer c.Close()
		acceptFor(t, l).Close()
	})
}

func init() {
	errands["make queue"] = func(args []string) int {
		if _, err := transport.MakeQueueForTest(args[0], 0o666, 2, 64); err != nil {
			return failed(err)
		}
		fmt.Println("made")
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
}

// TestR09_GarbageAtTheDoor: what no client said is nobody, and keeps nobody
// out.
func TestR09_GarbageAtTheDoor(t *testing.T) {
	address := mqAddress(t)
	name := strings.TrimPrefix(address, "mq:")
	l := listenFor(t, address, nil)
	word := transport.MQWordForTest(0, 12345, int32(os.Getpid()))
	garbage := [][]byte{nil, {0}, word, word[:len(word)-1], make([]byte, len(word)), transport.MQWordForTest(63, 0, -1), transport.MQWordForTest(255, 1, 1)}
	for i := range 100 {
		for _, word := range garbage {
			must(t, transport.SayForTest(name, word))
		}
		c := dialFor(t, address, nil)
		server := acceptFor(t, l)
		must(t, c.Write(oneFrame(i)))
		if frame, err := server.ReadFrame(); err != nil || len(frame) != i {
			t.Errorf("got %d bytes, %v", len(frame), err)
		}
		c.Close()
		server.Close()
	}
	must(t, l.Close())
}

// TestMQPeerIsTheKernelsWord: the process at the other end is named by the
// kernel, and a descriptor of it is to be had.
func TestMQPeerIsTheKernelsWord(t *testing.T) {
	address := mqAddress(t)
	l := listenFor(t, address, nil)
	e := sendOut(t, nil, "say and wait", address)
	c := acceptFor(t, l)
	defer c.Close()
	e.expect("said")
	if p := c.Peer(); p.PID != int32(e.cmd.Process.Pid) || p.UID != uint32(os.Geteuid()) {
		t.Errorf("got %+v, want process %d", p, e.cmd.Process.Pid)
	}
	fd, err := c.Peer().PIDFD()
	must(t, err)
	defer unix.Close(fd)
	must(t, unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0))
	e.wait()
	if _, err := c.ReadFrame(); err != nil {
		t.Error(err)
	}
	if _, err := c.ReadFrame(); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v, want an unexpected EOF", err)
	}
}

// TestR09_WhoGivesUpLeavesTheNextInPeace: a client that gives up while the
// service comes to it takes away its own place only, and is no connection.
func TestR09_WhoGivesUpLeavesTheNextInPeace(t *testing.T) {
	address := mqAddress(t)
	l := listenFor(t, address, nil)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.ReadFrame() // one, or the end of who has given up
			c.Close()
		}
	})
	givenUp, giveUp := context.WithCancel(t.Context())
	giveUp()
	for range 1000 {
		var clients sync.WaitGroup
		for _, ctx := range []context.Context{givenUp, givenUp, t.Context(), givenUp} {
			clients.Go(func() {
				c, err := transport.Dial(ctx, address, nil)
				switch {
				case err == nil:
					must(t, c.Write(oneFrame(0)))
					if _, err := c.ReadFrame(); err != io.EOF {
						t.Errorf("got %v, want EOF", err)
					}
					c.Close()
				case !errors.Is(err, ctx.Err()) || ctx.Err() == nil:
					t.Error(err)
				}
			})
		}
		if clients.Wait(); t.Failed() {
			break
		}
	}
	must(t, l.Close())
	accepting.Wait()
	if left := leftAt(address); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
