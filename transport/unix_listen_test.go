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
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

func TestF01_OneOfManyStartsWins(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	var wins atomic.Int32
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range 200 {
		all.Go(func() {
			<-begin
			l, err := transport.Listen(context.Background(), "unix:"+path, nil)
			switch {
			case err == nil:
				wins.Add(1)
				t.Cleanup(func() { l.Close() })
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
	dialFor(t, "unix:"+path, nil).Close()
}

// TestF01_OneProcessWins does the same with processes, over the socket and
// the lock file of one that was killed.
func TestF01_OneProcessWins(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	dead := sendOut(t, nil, "hold", "unix:"+path)
	dead.expect("listening")
	dead.cmd.Process.Kill()
	dead.wait()
	if _, err := transport.Dial(t.Context(), "unix:"+path, nil); !errors.Is(err, transport.ErrRefused) {
		t.Errorf("dialling a dead service: got %v, want ErrRefused", err)
	}

	starters := make([]*errand, 12)
	for i := range starters {
		starters[i] = sendOut(t, nil, "hold", "unix:"+path)
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
	last := sendOut(t, nil, "hold", "unix:"+path).says()
	if want := fmt.Sprintf("in use: process %d holds", winner); !strings.Contains(last, want) {
		t.Errorf("a late starter says %q, want %q", last, want)
	}
	c := dialFor(t, "unix:"+path, nil)
	defer c.Close()
	if pid := c.Peer().PID; pid != int32(winner) {
		t.Errorf("process %d answers, want %d", pid, winner)
	}
}

func TestF01_NobodyStealsInTurmoil(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	var holders, turns atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for turns.Load() < 300 {
				l, err := transport.Listen(context.Background(), "unix:"+path, nil)
				if errors.Is(err, transport.ErrAddressInUse) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d listen at once", n)
				}
				c, err := transport.Dial(context.Background(), "unix:"+path, nil)
				if err != nil {
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
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
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
	for name, address := range map[string]func(testing.TB) string{
		"unix": unixAddress, "tcp": tcpAddress, "mem": func(testing.TB) string { return "mem:closing" },
	} {
		t.Run(name, func(t *testing.T) {
			l := listenFor(t, address(t), nil)
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
