package ipc_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

const (
	// torrentEnv makes the test binary a service of torrents at the address
	// it holds.
	torrentEnv = "EKKO_IPC_TEST_TORRENT"

	// stallEnv makes it a process of many subscribers that never read: it
	// holds an address, their number, and whether they come again.
	stallEnv = "EKKO_IPC_TEST_STALL"
)

func init() { roles[torrentEnv], roles[stallEnv] = serveTorrent, stall }

const torrentManifest = `{
  "service": {"name": "torrent"},
  "methods": {
    "pour": {"parameters": [{"name": "rate", "type": "number"}, {"name": "count", "type": "number"}]},
    "weigh": {"parameters": []}
  },
  "events": {"drop": {}}
}`

// drop is an event of 1 KiB.
type drop struct {
	At  int64  `json:"at"` // on the machine's monotonic clock, in nanoseconds
	Pad string `json:"pad"`
}

var dropPad = strings.Repeat("x", 1024-len(`{"at":1234567890123456,"pad":""}`))

func machineNow() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err)
	}
	return now.Nano()
}

// flood is what a torrent is told.
type flood struct {
	Rate  int `json:"rate"`
	Count int `json:"count"`
}

// torrent is a service that publishes as many drops as it is told to, rate of
// them per second, or with 0 as fast as it can.
func torrent(opts *ipc.ServiceOptions) *ipc.Service {
	m, err := ipc.ParseManifest([]byte(torrentManifest))
	if err != nil {
		panic(err)
	}
	s := ipc.NewService(m, opts)
	ipc.Handle(s, "pour", func(ctx context.Context, p flood) (any, error) {
		began := time.Now()
		for n := range p.Count {
			if p.Rate > 0 {
				<-time.After(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(p.Rate))))
			}
			if err := s.Publish(ctx, "drop", drop{machineNow(), dropPad}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	ipc.Handle(s, "weigh", func(context.Context, any) (any, error) { return weighNow() })
	return s
}

// weight is what a process has of what must not be left over.
type weight struct {
	Goroutines  int `json:"goroutines"`
	Descriptors int `json:"descriptors"`
	HeapKiB     int `json:"heap"`
	ResidentKiB int `json:"resident"`
}

// weighNow weighs this process after what it holds no longer is given back.
func weighNow() (w weight, err error) {
	runtime.GC() // pools let go of what they have with the second one
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/proc/self/fd")
	return weight{runtime.NumGoroutine(), len(open), int(m.HeapAlloc >> 10), residentKiB(os.Getpid(), "VmRSS")}, err
}

// residentKiB reads a line of what the kernel knows of a process's memory.
func residentKiB(pid int, line string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), line+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n
}

func serveTorrent(address string) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // the test that started it has ended
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	opts := ipc.ServiceOptions{Logger: quiet, Ready: func(a []string) { fmt.Println("ready", a[0]) }}
	if err := torrent(&opts).Serve(ctx, address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// stall subscribes many times, each on a connection of its own, and reads the
// answers and nothing more, until the test ends.
func stall(how string) int {
	var address string
	var count int
	var again bool
	if _, err := fmt.Sscan(how, &address, &count, &again); err != nil {
		panic(err)
	}
	path := strings.TrimPrefix(address, "unix:")
	polled := make([]unix.PollFd, count)
	for i := range polled {
		polled[i] = unix.PollFd{Fd: int32(stalledConn(path))}
	}
	fmt.Println("ready", count)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		if _, err := unix.Poll(polled, -1); err != nil && err != unix.EINTR {
			panic(err)
		}
		for i := range polled {
			if polled[i].Revents&unix.POLLHUP == 0 || polled[i].Fd < 0 {
				continue
			}
			unix.Close(int(polled[i].Fd))
			polled[i] = unix.PollFd{Fd: -1} // which poll ignores
			if again {
				polled[i].Fd = int32(stalledConn(path))
			}
		}
	}
}

// stalledConn is a connection that has subscribed.
func stalledConn(path string) (fd int) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil {
		_, err = unix.Write(fd, framed(`{"type":"subscribe","messageId":"stalled-0001","channel":"events.drop"}`))
	}
	header := make([]byte, 4)
	if err == nil {
		_, err = unix.Read(fd, header)
	}
	if err == nil {
		_, err = unix.Read(fd, make([]byte, binary.LittleEndian.Uint32(header)))
	}
	if err != nil {
		panic(err)
	}
	return fd
}

// stalledProcess is a process of such subscribers, that are subscribed.
func stalledProcess(t *testing.T, address string, count int, again bool) *exec.Cmd {
	t.Helper()
	return itself(t, fmt.Sprintf("%s=%s %d %v", stallEnv, address, count, again))
}

// complaints counts how often a service tells its operator of a process that
// does not keep up.
type complaints struct {
	mu    sync.Mutex
	count map[int]int // by process; guarded by mu
}

func newComplaints() *complaints { return &complaints{count: map[int]int{}} }

// Write takes lines of a JSON log, one each time.
func (c *complaints) Write(line []byte) (int, error) {
	var said struct {
		Code string `json:"code"`
		PID  int    `json:"pid"`
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if said.Code == string(wire.CodeSlowConsumer) {
		c.count[said.PID]++
	}
	return len(line), nil
}

func (c *complaints) of(pid int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[pid]
}

// ear is a subscriber that reads everything, and how long that took to come.
type ear struct {
	sub  *ipc.Subscription
	seq  uint64
	took []time.Duration
}

func newEar(t *testing.T, c *ipc.Client) *ear {
	t.Helper()
	sub, err := c.Subscribe(t.Context(), "drop", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &ear{sub: sub}
}

// hear takes the next so many events, of which none may be missing.
func (e *ear) hear(ctx context.Context, n int) error {
	e.took = make([]time.Duration, 0, n)
	for range n {
		got, err := e.sub.Next(ctx)
		if err != nil {
			return err
		}
		now := machineNow()
		var d drop
		if err := got.Decode(&d); err != nil {
			return err
		}
		if e.seq++; got.Gap != nil || got.Seq != e.seq {
			return fmt.Errorf("after %d events comes number %d, with the gap %+v", e.seq-1, got.Seq, got.Gap)
		}
		e.took = append(e.took, time.Duration(now-d.At))
	}
	return nil
}

// pour lets the service publish n events, and hears them all.
func pour(t *testing.T, c *ipc.Client, e *ear, rate, n int) {
	t.Helper()
	poured := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or else it would wait for what was lost
	defer cancel()
	go func() {
		_, err := c.Call(ctx, "pour", rate, n)
		poured <- err
	}()
	if err := e.hear(ctx, n); err != nil {
		t.Fatal(err)
	}
	if err := <-poured; err != nil {
		t.Fatal(err)
	}
}
