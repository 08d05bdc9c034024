//go:build unix

package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// child starts the echo errand with the given standard input and output.
func child(t *testing.T, in, out *os.File) *exec.Cmd {
	t.Helper()
	c := exec.Command(program(t))
	c.Env = append(os.Environ(), errandEnv+"=echo on stdio")
	c.Stdin, c.Stdout, c.Stderr = in, out, os.Stderr
	must(t, c.Start())
	in.Close()
	if in != out {
		out.Close()
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

func echoes(t *testing.T, c transport.Conn) {
	t.Helper()
	for range 3 {
		must(t, c.Write([]byte{3, 0, 0, 0, 'a', 's', 'k'}))
		if frame, err := c.ReadFrame(); err != nil || string(frame) != "ask" {
			t.Fatalf("got %q, %v", frame, err)
		}
	}
	// The child closes its connection when it is told, and lives on: the
	// end has to be seen all the same.
	must(t, c.Write([]byte{3, 0, 0, 0, 'e', 'n', 'd'}))
	if _, err := c.ReadFrame(); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
	must(t, c.Close())
}

func TestStdioOfPipes(t *testing.T) {
	a, b := pipes(t)
	child(t, a[0], a[1])
	echoes(t, pipe(t, transport.Pipe, b, nil))
}

// TestStdioOfBlockingPipes has files that Go's poller does not know yet, as
// they come from other programs.
func TestStdioOfBlockingPipes(t *testing.T) {
	a, b := pipes(t)
	child(t, a[0], a[1])
	for _, f := range b {
		f.Fd() // makes it block
		must(t, syscall.SetNonblock(int(f.Fd()), false))
	}
	blocking := [2]*os.File{}
	for i, f := range b {
		fd, err := syscall.Dup(int(f.Fd()))
		must(t, err)
		f.Close()
		blocking[i] = os.NewFile(uintptr(fd), "blocking")
	}
	c := pipe(t, transport.Pipe, blocking, nil)
	c.InterruptRead()
	if _, err := c.ReadFrame(); !errors.Is(err, transport.ErrInterrupted) {
		t.Errorf("got %v, want ErrInterrupted", err)
	}
	echoes(t, c)
}

// TestStdioOfSocket: Node gives its children sockets.
func TestStdioOfSocket(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	syscall.CloseOnExec(fds[1])
	theirs, ours := os.NewFile(uintptr(fds[0]), "theirs"), os.NewFile(uintptr(fds[1]), "ours")
	child(t, theirs, theirs)
	out, err := syscall.Dup(fds[1])
	must(t, err)
	syscall.CloseOnExec(out)
	echoes(t, pipe(t, transport.Pipe, [2]*os.File{ours, os.NewFile(uintptr(out), "ours")}, nil))
}

// TestStdioOfFiles: requests can be kept in a file and played.
func TestStdioOfFiles(t *testing.T) {
	dir := t.TempDir()
	asked, answered := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	must(t, os.WriteFile(asked, []byte("{\"a\":1}\n{}\nend"), 0o600))
	in, err := os.Open(asked)
	must(t, err)
	out, err := os.Create(answered)
	must(t, err)
	must(t, child(t, in, out).Wait())
	got, err := os.ReadFile(answered)
	must(t, err)
	if string(got) != "{\"a\":1}\n{}\n" {
		t.Errorf("got %q", got)
	}
}

func TestStdioOfNothing(t *testing.T) {
	null := func() *os.File {
		f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		must(t, err)
		return f
	}
	must(t, child(t, null(), null()).Wait())
}

func init() {
	// echo on stdio answers what it is asked until "end" or the end, and
	// prints where it may not.
	errands["echo on stdio"] = func([]string) int {
		l, err := transport.Listen(context.Background(), "stdio:", nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		os.Stdout.Sync() // goes to standard error now
		if _, err := bufio.NewReader(os.Stdin).ReadByte(); err != io.EOF {
			fmt.Fprintln(os.Stderr, "standard input is still there:", err)
			return 1
		}
		c, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for {
			frame, err := c.ReadFrame()
			if err == io.EOF || err == nil && string(frame) == "end" {
				break
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			run := append([]byte{byte(len(frame)), 0, 0, 0}, frame...)
			if err := c.Write(run); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		c.Close()
		if _, err := c.ReadFrame(); !errors.Is(err, net.ErrClosed) {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		l.Close()
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
}
