//go:build !race

package ipc_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc"
)

var (
	stormKills = flag.Int("kills", 30, "how many processes TestKillStorm kills, of each transport")
	stormSeed  = flag.Uint64("stormseed", 0, "by which TestKillStorm chooses; 0: any")
)

// These make the test binary a service at the address they hold, or a client
// that connects to it again and again.
const (
	stormServiceEnv = "EKKO_IPC_TEST_STORM_SERVICE"
	stormClientEnv  = "EKKO_IPC_TEST_STORM_CLIENT"
)

func init() {
	roles[stormServiceEnv] = serveInStorm
	roles[stormClientEnv] = callInStorm
}

func serveInStorm(address string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	s := newFixture(&ipc.ServiceOptions{Logger: quiet, Ready: func([]string) { fmt.Println("ready") }})
	if err := s.Serve(ctx, address); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// What a client in a storm says of each try.
const (
	wasAnswered = '+'
	wasNot      = '-'
)

func callInStorm(address string) int {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		outcome := []byte{wasNot}
		if c, err := ipc.Dial(context.Background(), address, nil); err == nil {
			if _, err := c.Call(context.Background(), "echo", strings.Repeat("x", 5000)); err == nil {
				outcome[0] = wasAnswered
			}
			c.Close()
		}
		os.Stdout.Write(outcome)
	}
}

// TestKillStorm kills services and clients at random moments. Whatever they
// were doing, the next service is reached at the same address, and when that
// has ended nothing is left. make storm kills more of them.
func TestKillStorm(t *testing.T) {
	seed := *stormSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-stormseed %d", seed)
	dir := t.TempDir()
	queue := fmt.Sprintf("storm-%d", os.Getpid())
	for _, address := range []string{"unix:" + dir + "/s", "shm:" + dir + "/m", "fifo:" + dir + "/f", "mq:" + queue} {
		scheme, _, _ := strings.Cut(address, ":")
		t.Run(scheme, func(t *testing.T) {
			s := &storm{t: t, address: address, random: rand.New(rand.NewPCG(seed, 0))}
			s.rage(*stormKills)
			for _, what := range leftOfStorm(t, dir, queue, true) {
				t.Errorf("the killed still listen: %s", what)
			}
			s.calm()
			for _, what := range leftOfStorm(t, dir, queue, false) {
				t.Errorf("left behind: %s", what)
			}
		})
	}
}

// storm is a service and its clients, each a process.
type storm struct {
	t       *testing.T
	address string
	random  *rand.Rand

	service *exec.Cmd
	clients [3]*exec.Cmd
	tries   *bufio.Reader // of any client
	trying  *os.File      // the clients' end
}

func (s *storm) rage(kills int) {
	tries, trying, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	defer tries.Close()
	defer trying.Close()
	s.tries, s.trying = bufio.NewReaderSize(tries, 16), trying
	s.service, _ = s.start(stormServiceEnv, nil)
	for i := range s.clients {
		s.clients[i], _ = s.start(stormClientEnv, s.trying)
	}
	for range kills {
		s.wait(s.random.IntN(1<<s.random.IntN(9)), s.random.IntN(3) == 0)
		if s.random.IntN(2) == 0 {
			kill(s.service)
			s.service, _ = s.start(stormServiceEnv, nil)
			continue
		}
		i := s.random.IntN(len(s.clients))
		kill(s.clients[i])
		s.clients[i], _ = s.start(stormClientEnv, s.trying)
	}
	for _, cmd := range append(s.clients[:], s.service) {
		kill(cmd)
	}
}

// wait returns when the clients have tried so often, or, unless any try counts,
// were answered so often: then the service must have come up, or this is a
// storm without an end.
func (s *storm) wait(tries int, any bool) {
	for tries > 0 {
		outcome, err := s.tries.ReadByte()
		if err != nil {
			s.t.Fatal(err)
		}
		if any || outcome == wasAnswered {
			tries--
		}
	}
}

// calm has a service and a client there as if nothing had happened.
func (s *storm) calm() {
	cmd, out := s.start(stormServiceEnv, nil)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		s.t.Fatalf("the next service says %q, %v", line, err)
	}
	c := dial(s.t, s.address, nil)
	if _, err := c.Call(s.t.Context(), "echo", 1); err != nil {
		s.t.Error(err)
	}
	c.Close()
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		s.t.Errorf("the next service ended with %v", err)
	}
}

// start starts a process, which says what it has to say to out; nil: to whoever
// reads what is returned.
func (s *storm) start(env string, out *os.File) (cmd *exec.Cmd, said io.Reader) {
	s.t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env+"="+s.address)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe()
	if out != nil {
		cmd.Stdout = out
	} else if err == nil {
		said, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { kill(cmd) })
	return cmd, said
}

// leftOfStorm returns what there still is that the storm's processes made;
// names may be there as long as nobody came after the killed.
func leftOfStorm(t *testing.T, dir, queue string, names bool) (left []string) {
	t.Helper()
	sockets, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sockets)) {
		if strings.Contains(line, dir) {
			left = append(left, line)
		}
	}
	if names {
		return left
	}
	for _, pattern := range []string{dir + "/*", "/dev/shm/*ekko*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, files...)
	}
	queues := []string{""}
	for place := range 64 {
		queues = append(queues, fmt.Sprintf("~%du", place), fmt.Sprintf("~%dd", place))
	}
	for _, end := range queues {
		if name := fmt.Sprintf("ekko-%d-%s%s", os.Geteuid(), queue, end); queueThere(t, name) {
			left = append(left, "/dev/mqueue/"+name)
		}
	}
	return left
}

// queueThere asks for a message queue by its name: the file system that lists
// them may not be mounted.
func queueThere(t *testing.T, name string) bool {
	t.Helper()
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		t.Fatal(err)
	}
	fd, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(text)), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0, 0)
	if errno == 0 {
		unix.Close(int(fd))
	}
	return !errors.Is(errno, unix.ENOENT) && errno != unix.ENOSYS
}
