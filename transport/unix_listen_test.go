//go:build unix

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// localWays are the transports between processes of one machine that have a
// name of their own there; other files add theirs.
var localWays = []localWay{{"unix", unixAddress}}

type localWay struct {
	name    string
	address func(testing.TB) string
}

// eachLocalWay runs a test for each of them, at an address of its own.
func eachLocalWay(t *testing.T, f func(t *testing.T, address string)) {
	for _, way := range localWays {
		t.Run(way.name, func(t *testing.T) {
			address := way.address(t)
			f(t, address)
			if left := leftAt(address); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// leftAt returns what is still there that an address made.
func leftAt(address string) (names []string) {
	if look := leftOtherwise; look != nil && look(address, &names) {
		return names
	}
	_, path, _ := strings.Cut(address, ":")
	files, _ := os.ReadDir(filepath.Dir(path))
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

// leftOtherwise does the same for addresses that are no paths.
var leftOtherwise func(address string, names *[]string) bool

func TestF01_OneOfManyStartsWins(t *testing.T) { eachLocalWay(t, oneOfManyWins) }

func oneOfManyWins(t *testing.T, address string) {
	var wins atomic.Int32
	var winner atomic.Pointer[transport.Listener]
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range 200 {
		all.Go(func() {
			<-begin
			l, err := transport.Listen(context.Background(), address, nil)
			switch {
			case err == nil:
				wins.Add(1)
				winner.Store(&l)
			case !errors.Is(err, transport.ErrAddressInUse):
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if n := wins.Load(); n != 1 {
		t.Fatalf("%d of 200 listen", n)
	}
	dialFor(t, address, nil).Close()
	must(t, (*winner.Load()).Close())
}

// TestF01_OneProcessWins does the same with processes, over the socket and
// the lock file of one that was killed.
func TestF01_OneProcessWins(t *testing.T) { eachLocalWay(t, oneProcessWins) }

func oneProcessWins(t *testing.T, address string) {
	dead := sendOut(t, nil, "hold", address)
	dead.expect("listening")
	dead.cmd.Process.Kill()
	dead.wait()
	if _, err := transport.Dial(t.Context(), address, nil); !errors.Is(err, transport.ErrRefused) {
		t.Errorf("dialling a dead service: got %v, want ErrRefused", err)
	}

	starters := make([]*errand, 12)
	for i := range starters {
		starters[i] = sendOut(t, nil, "hold", address)
	}
	winner := 0
	var losers []string
	for _, e := range starters {
		if said := e.says(); said == "listening" {
			if winner != 0 {
				t.Error("two processes listen")
			}
			winner = e.cmd.Process.Pid
		} else {
			losers = append(losers, said)
		}
	}
	if winner == 0 {
		t.Fatal("nobody listens:", losers)
	}
	// Whoever came late is told by whom he was beaten.
	last := sendOut(t, nil, "hold", address).says()
	want := fmt.Sprintf("in use: process %d holds", winner)
	if strings.HasPrefix(address, "mq:") { // a queue does not say by whom it is held
		want = "in use: another process reads"
	}
	if !strings.Contains(last, want) {
		t.Errorf("a late starter says %q, want %q", last, want)
	}
	c := dialFor(t, address, nil)
	defer c.Close()
	if pid := c.Peer().PID; pid != int32(winner) && pid != 0 {
		t.Errorf("process %d answers, want %d", pid, winner)
	}
	for _, e := range starters {
		e.stdin.Close()
		e.wait()
	}
}

func TestF01_NobodyStealsInTurmoil(t *testing.T) { eachLocalWay(t, nobodySteals) }

func nobodySteals(t *testing.T, address string) {
	var holders, turns atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for turns.Load() < 300 {
				l, err := transport.Listen(context.Background(), address, nil)
				if errors.Is(err, transport.ErrAddressInUse) {
					runtime.Gosched() // who listens has to get a turn
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d listen at once", n)
				}
				if c, err := transport.Dial(context.Background(), address, nil); err != nil {
					t.Error(err)
				} else {
					c.Close()
				}
				turns.Add(1)
				holders.Add(-1)
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestF01_ServedWithoutLock: programs that do not know our lock files serve
// sockets as well.
func TestF01_ServedWithoutLock(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	other, err := net.Listen("unix", path)
	must(t, err)
	before := tree(t, filepath.Dir(path))
	if _, err := transport.Listen(t.Context(), "unix:"+path, nil); !errors.Is(err, transport.ErrAddressInUse) {
		t.Errorf("got %v, want ErrAddressInUse", err)
	}
	if after := tree(t, filepath.Dir(path)); after != before {
		t.Errorf("the tree changed: %s", after)
	}
	other.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, other.Close())
	must(t, listenFor(t, "unix:"+path, nil).Close())
}

func TestF01_CloseRemovesItsOwnOnly(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	l := listenFor(t, "unix:"+path, nil)
	must(t, os.Remove(path))
	must(t, os.WriteFile(path, []byte("somebody else's"), 0o600))
	for range 2 {
		must(t, l.Close())
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("Close removed another's file")
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the lock file is still there:", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: got %v, want net.ErrClosed", err)
	}
}

func TestListenersClose(t *testing.T) {
	ways := append(localWays[:len(localWays):len(localWays)],
		localWay{"tcp", tcpAddress}, localWay{"mem", func(testing.TB) string { return "mem:closing" }})
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			l := listenFor(t, way.address(t), nil)
			if _, err := transport.Listen(t.Context(), l.Addr(), nil); !errors.Is(err, transport.ErrAddressInUse) {
				t.Errorf("a second Listen: got %v, want ErrAddressInUse", err)
			}
			done := make(chan error)
			go func() {
				_, err := l.Accept()
				done <- err
			}()
			must(t, l.Close())
			if err := <-done; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept: got %v, want net.ErrClosed", err)
			}
			must(t, l.Close())
			_, err := transport.Dial(t.Context(), l.Addr(), nil)
			if !errors.Is(err, transport.ErrRefused) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Dial: got %v, want ErrRefused or fs.ErrNotExist", err)
			}
			must(t, listenFor(t, l.Addr(), nil).Close())
		})
	}
}

// TestFullBacklog: the kernel refuses who comes while too many wait; Dial
// does not.
func TestFullBacklog(t *testing.T) {
	l := listenFor(t, unixAddress(t), nil)
	const n = 6000 // above any usual backlog
	var all sync.WaitGroup
	for range n / 100 {
		all.Go(func() {
			for range 100 {
				c, err := transport.Dial(context.Background(), l.Addr(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				c.Close()
			}
		})
	}
	for range n {
		c := acceptFor(t, l)
		if _, err := c.ReadFrame(); err != io.EOF {
			t.Error(err)
		}
		c.Close()
	}
	all.Wait()
}

func init() {
	// hold listens, says so, and goes on until its input ends.
	errands["hold"] = func(args []string) int {
		l, err := transport.Listen(context.Background(), args[0], nil)
		if err != nil {
			fmt.Println(err)
			return 0
		}
		fmt.Println("listening")
		io.Copy(io.Discard, os.Stdin)
		l.Close()
		return 0
	}
}
