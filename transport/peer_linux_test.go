package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc/transport"
)

// publicListener listens where another user can connect, which no listener
// of ours allows by itself.
func publicListener(t *testing.T) transport.Listener {
	t.Helper()
	dir := shortDir(t)
	must(t, os.Chmod(dir, 0o755))
	l := listenFor(t, "unix:"+filepath.Join(dir, "s"), nil)
	must(t, os.Chmod(filepath.Join(dir, "s"), 0o666))
	return l
}

// TestF01_RogueServer: another user's server at our address hears nothing.
func TestF01_RogueServer(t *testing.T) {
	needRoot(t)
	dir := shortDir(t)
	must(t, os.Chown(dir, stranger, stranger))
	path := filepath.Join(dir, "s")
	rogue := sendOut(t, as(stranger), "listen", path)
	rogue.expect("listening")

	c, err := transport.Dial(t.Context(), "unix:"+path, nil)
	if !errors.Is(err, transport.ErrUntrustedPeer) {
		t.Fatalf("got %v, %v, want ErrUntrustedPeer", c, err)
	}
	rogue.expect("heard 0 bytes")

	c = dialFor(t, "unix:"+path, &transport.Options{TrustUID: func(uid uint32) bool { return uid == stranger }})
	must(t, c.Write([]byte{5, 0, 0, 0, 't', 'o', 'k', 'e', 'n'}))
	c.Close()
	rogue.expect("heard 9 bytes")

	// Root is trusted by everybody.
	l := publicListener(t)
	sendOut(t, as(stranger), "dial", l.Addr()).expect("connected")
}

func TestF06_PathOfTheClientIsNotHeard(t *testing.T) {
	needRoot(t)
	l := publicListener(t)
	dir := shortDir(t)
	must(t, os.Chown(dir, stranger, stranger))
	e := sendOut(t, as(stranger), "dial from", l.Addr()[len("unix:"):], filepath.Join(dir, ";uid=0;"))
	e.expect("connected")
	c := acceptFor(t, l)
	defer c.Close()
	if p := c.Peer(); !p.Known || p.UID != stranger || p.GID != stranger || p.PID != int32(e.cmd.Process.Pid) {
		t.Errorf("got %+v, want user %d, process %d", p, stranger, e.cmd.Process.Pid)
	}
}

// TestF06_InheritedConnection shows the limit of credentials: they are those
// of the moment of connecting, whoever speaks later.
func TestF06_InheritedConnection(t *testing.T) {
	needRoot(t)
	l := publicListener(t)
	raw, err := net.Dial("unix", l.Addr()[len("unix:"):])
	must(t, err)
	f, err := raw.(*net.UnixConn).File()
	must(t, err)
	raw.Close()
	e := sendOut(t, func(c *exec.Cmd) {
		as(stranger)(c)
		c.ExtraFiles = []*os.File{f}
	}, "speak", "3")
	f.Close()
	e.expect("spoken")
	c := acceptFor(t, l)
	defer c.Close()
	if frame, err := c.ReadFrame(); err != nil || string(frame) != "hello" {
		t.Fatalf("got %q, %v", frame, err)
	}
	if p := c.Peer(); p.UID != 0 || p.PID != int32(os.Getpid()) {
		t.Errorf("got %+v, want ours, who connected", p)
	}
}

// TestF06_DeadPeers: connections of processes that are gone before they are
// accepted still say whose they were, and no process is taken for theirs.
func TestF06_DeadPeers(t *testing.T) {
	needRoot(t)
	l := publicListener(t)
	const rounds, each = 5, 2000
	for range rounds {
		e := sendOut(t, as(stranger), "knock", l.Addr()[len("unix:"):], strconv.Itoa(each))
		e.expect("knocked")
		must(t, e.wait())
		for range each {
			c := acceptFor(t, l)
			if p := c.Peer(); !p.Known || p.UID != stranger || p.PID != int32(e.cmd.Process.Pid) {
				t.Fatalf("got %+v", p)
			}
			if fd, err := c.Peer().PIDFD(); err == nil {
				if alive(fd) {
					t.Error("a dead process is alive")
				}
				unix.Close(fd)
			}
			c.Close()
		}
	}
}

func alive(pidfd int) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
	return err == nil && n == 0
}

func TestF06_PIDFD(t *testing.T) {
	l := listenFor(t, unixAddress(t), nil)
	client := dialFor(t, l.Addr(), nil)
	defer client.Close()
	server := acceptFor(t, l)
	a, b := transport.Pair(nil)
	defer a.Close()
	defer b.Close()
	for _, c := range []transport.Conn{server, client, a, b} {
		fd, err := c.Peer().PIDFD()
		must(t, err)
		if !alive(fd) {
			t.Error("this process is not alive")
		}
		unix.Close(fd)
	}
	peer := server.Peer()
	server.Close()
	if _, err := peer.PIDFD(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: got %v, want net.ErrClosed", err)
	}
	if _, err := (transport.Peer{}).PIDFD(); !errors.Is(err, transport.ErrUnsupported) {
		t.Errorf("of nobody: got %v, want ErrUnsupported", err)
	}
}

// TestF06_UserNamespace: in a user namespace, users without a number there
// are all one.
func TestF06_UserNamespace(t *testing.T) {
	needRoot(t)
	dir := shortDir(t)
	must(t, os.Chmod(dir, 0o755))
	e := sendOut(t, func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		}
	}, "name peers", filepath.Join(dir, "s"))
	e.expect("listening")
	sendOut(t, as(stranger), "dial", "unix:"+filepath.Join(dir, "s")).expect("connected")
	e.expect("user 65534, overflow true")
}

// TestF06_NoCredentials: where the kernel does not answer, nobody is served
// and nobody is spoken to.
func TestF06_NoCredentials(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	inject := func(what string) func(*exec.Cmd) {
		return func(c *exec.Cmd) {
			c.Args = append([]string{strace, "-f", "-qq", "-o", os.DevNull,
				"-e", "trace=getsockopt", "-e", "inject=getsockopt:error=" + what, c.Path}, c.Args[1:]...)
			c.Path = strace
		}
	}
	t.Run("client", func(t *testing.T) {
		l := listenFor(t, unixAddress(t), nil)
		sendOut(t, inject("EPERM"), "dial", l.Addr()).expect("untrusted peer")
	})
	t.Run("server", func(t *testing.T) {
		address := unixAddress(t)
		e := sendOut(t, inject("EPERM"), "hold and accept", address)
		e.expect("listening")
		c := dialFor(t, address, nil)
		defer c.Close()
		if _, err := c.ReadFrame(); err == nil {
			t.Error("served without a name")
		}
		e.tell("enough")
		e.expect("accepted 0")
	})
}

func init() {
	// listen serves as a program that does not know us, and counts what it
	// hears from each client.
	errands["listen"] = func(args []string) int {
		l, err := net.Listen("unix", args[0])
		if err != nil {
			fmt.Println(err)
			return 1
		}
		os.Chmod(args[0], 0o666)
		fmt.Println("listening")
		for {
			c, err := l.Accept()
			if err != nil {
				return 1
			}
			n, _ := io.Copy(io.Discard, c)
			fmt.Printf("heard %d bytes\n", n)
		}
	}
	// dial from binds its own end before it connects.
	errands["dial from"] = func(args []string) int {
		c, err := net.DialUnix("unix", &net.UnixAddr{Name: args[1]}, &net.UnixAddr{Name: args[0]})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("connected")
		io.Copy(io.Discard, c)
		return 0
	}
	// speak writes a frame to a descriptor that it inherited.
	errands["speak"] = func(args []string) int {
		fd, _ := strconv.Atoi(args[0])
		f := os.NewFile(uintptr(fd), "inherited")
		if _, err := f.Write([]byte{5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'}); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("spoken")
		return 0
	}
	// knock connects many times and stays for none.
	errands["knock"] = func(args []string) int {
		n, _ := strconv.Atoi(args[1])
		for range n {
			c, err := net.Dial("unix", args[0])
			if err != nil {
				fmt.Println(err)
				return 1
			}
			c.Close()
		}
		fmt.Println("knocked")
		return 0
	}
	// name peers says who connects.
	errands["name peers"] = func(args []string) int {
		l, err := transport.Listen(context.Background(), "unix:"+args[0], nil)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		os.Chmod(args[0], 0o666)
		fmt.Println("listening")
		for {
			c, err := l.Accept()
			if err != nil {
				return 1
			}
			fmt.Printf("user %d, overflow %v\n", c.Peer().UID, c.Peer().Overflow())
		}
	}
	// hold and accept counts whom it would serve.
	errands["hold and accept"] = func(args []string) int {
		l, err := transport.Listen(context.Background(), args[0], nil)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("listening")
		accepted := make(chan int)
		go func() {
			n := 0
			for {
				if _, err := l.Accept(); err != nil {
					accepted <- n
					return
				}
				n++
			}
		}()
		fmt.Scanln()
		l.Close()
		fmt.Println("accepted", <-accepted)
		return 0
	}
}

// TestHalfClosed: a peer that has said all it will can be told from one that
// is gone.
func TestHalfClosed(t *testing.T) {
	for name, again := range map[string]func() func(){
		"quiet": func() func() { return func() {} }, "watched": transport.NoQuietForTest,
	} {
		t.Run(name, func(t *testing.T) {
			defer again()()
			l := listenFor(t, unixAddress(t), nil)
			raw, err := net.Dial("unix", l.Addr()[len("unix:"):])
			must(t, err)
			c := acceptFor(t, l)
			defer c.Close()
			must(t, raw.(*net.UnixConn).CloseWrite())
			if _, err := c.ReadFrame(); err != io.EOF {
				t.Fatal(err)
			}
			half := c.(interface{ HalfClosed() bool })
			if !half.HalfClosed() {
				t.Error("a peer that reads on is taken for gone")
			}
			raw.Close()
			if half.HalfClosed() {
				t.Error("a peer that is gone is taken for one that reads on")
			}
		})
	}
}
