//go:build unix

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// passing makes an errand inherit files as systemd passes them: the numbers
// are said in the environment, the process's own among them.
func passing(names string, files ...*os.File) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, c.Path}, c.Args[1:]...)
		c.Path = "/bin/sh"
		c.Env = append(c.Env, fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+names)
		c.ExtraFiles = files
	}
}

// listening returns a socket that listens, as a file, and where.
func listening(t testing.TB, network, at string) (*os.File, net.Listener) {
	t.Helper()
	l, err := net.Listen(network, at)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	f, err := l.(interface{ File() (*os.File, error) }).File()
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f, l
}

// TestInherit: a service that is started anew keeps nobody out, since its
// socket listens all the while.
func TestInherit(t *testing.T) {
	address := unixAddress(t)
	unix, _ := listening(t, "unix", address[len("unix:"):])
	tcp, l := listening(t, "tcp", "127.0.0.1:0")
	before := dialFor(t, address, nil) // nobody accepts yet
	for _, way := range []struct{ names, name, address string }{
		{"http:db", "db", address}, {"db:http", "db", "tcp:" + l.Addr().String()},
	} {
		files := []*os.File{tcp, unix}
		for range 3 {
			e := sendOut(t, passing(way.names, files...), "serve inherited", "inherit:"+way.name)
			e.expect("listening at " + way.address)
			if before == nil {
				before = dialFor(t, way.address, nil)
			}
			echoes(t, before)
			before = nil
			must(t, e.wait())
		}
	}
}

// TestInheritRetires: who comes when a service has retired waits for the next
// one.
func TestInheritRetires(t *testing.T) {
	address := unixAddress(t)
	f, _ := listening(t, "unix", address[len("unix:"):])
	e := sendOut(t, passing("db", f), "retire", "inherit:")
	e.expect("retired")
	c := dialFor(t, address, nil)
	must(t, e.wait())
	e = sendOut(t, passing("db", f), "serve inherited", "inherit:")
	e.expect("listening at " + address)
	echoes(t, c)
	must(t, e.wait())
}

// TestInheritWrong: what is passed is looked at before it is used.
func TestInheritWrong(t *testing.T) {
	free, _ := listening(t, "unix", unixAddress(t)[len("unix:"):])
	everywhere, _ := listening(t, "tcp", "0.0.0.0:0")
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	packets, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: unixAddress(t)[len("unix:"):], Net: "unixgram"})
	must(t, err)
	defer packets.Close()
	packetFile, err := packets.File()
	must(t, err)
	defer packetFile.Close()
	connected, err := net.Dial("tcp", loopback(t))
	must(t, err)
	defer connected.Close()
	connectedFile, err := connected.(*net.TCPConn).File()
	must(t, err)
	defer connectedFile.Close()
	for _, c := range []struct {
		names, name string
		file        *os.File
		says        string
	}{
		{"db", "web", free, "are called db"},
		{"", "db", free, "are called unknown"},
		{"db", "db", r, "is no socket"},
		{"db", "db", packetFile, "is not a stream socket"},
		{"db", "db", connectedFile, "does not listen"},
		{"db", "db", everywhere, transport.ErrNotLoopback.Error()},
	} {
		e := sendOut(t, passing(c.names, c.file), "serve inherited", "inherit:"+c.name)
		if got := e.says(); !strings.Contains(got, c.says) {
			t.Errorf("%s of %s: %s; want %q", c.name, c.names, got, c.says)
		}
		must(t, e.wait())
	}
}

// TestInheritedPortsAreAsGuarded: who may connect to a port does not depend on
// who has opened it.
func TestInheritedPortsAreAsGuarded(t *testing.T) {
	for _, c := range []struct {
		at, options string
		in          bool
	}{
		{"127.0.0.1:0", "allow=127.0.0.0/8", true},
		{"127.0.0.1:0", "allow=10.0.0.0/8", false},
		{"0.0.0.0:0", "insecure", true},
		{"0.0.0.0:0", "insecure allow=10.0.0.0/8", false},
	} {
		f, l := listening(t, "tcp", c.at)
		e := sendOut(t, passing("db", f), "serve inherited", append([]string{"inherit:db"}, strings.Fields(c.options)...)...)
		e.expect("listening at tcp:" + l.Addr().String())
		client := dialFor(t, fmt.Sprintf("tcp:127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port), nil)
		if c.in {
			echoes(t, client)
			must(t, e.wait())
			continue
		}
		if frame, err := client.ReadFrame(); err == nil {
			t.Errorf("%s: a client who may not be there reads %q", c.options, frame)
		}
		client.Close()
		if said := e.says(); !strings.Contains(said, "none of AllowHosts") {
			t.Errorf("%s: the service says %q", c.options, said)
		}
	}
}

// loopback is where a TCP listener of this test listens.
func loopback(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// TestInheritNothing: variables that are meant for a parent, or are nonsense,
// pass nothing.
func TestInheritNothing(t *testing.T) {
	for _, v := range [][2]string{{"1", "1"}, {"", "1"}, {fmt.Sprint(os.Getpid()), "0"}, {fmt.Sprint(os.Getpid()), "-1"}, {fmt.Sprint(os.Getpid()), "1000000"}, {"x", "x"}} {
		t.Setenv("LISTEN_PID", v[0])
		t.Setenv("LISTEN_FDS", v[1])
		if names := transport.Inherited(); names != nil {
			t.Errorf("%q: got %q", v, names)
		}
		if _, err := transport.Listen(t.Context(), "inherit:", nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v, want ErrNotExist", v, err)
		}
	}
	if _, err := transport.Dial(t.Context(), "inherit:", nil); err == nil {
		t.Error("an inherited socket was dialled")
	}
}

func init() {
	// serve inherited echoes what its first client sends, until that ends; what
	// follows the address is options.
	errands["serve inherited"] = func(args []string) int {
		o := &transport.Options{OnError: func(err error) { fmt.Println(err) }}
		for _, option := range args[1:] {
			if prefix, ok := strings.CutPrefix(option, "allow="); ok {
				o.AllowHosts = append(o.AllowHosts, netip.MustParsePrefix(prefix))
			}
			o.InsecureTCP = o.InsecureTCP || option == "insecure"
		}
		l, err := transport.Listen(context.Background(), args[0], o)
		if err != nil {
			fmt.Println(err)
			return 0
		}
		fmt.Println("listening at", l.Addr())
		c, err := l.Accept()
		if err != nil {
			return failed(err)
		}
		for {
			frame, err := c.ReadFrame()
			if err != nil || string(frame) == "end" {
				break
			}
			if err := echoFrame(c, frame, make([]byte, 0, 64)); err != nil {
				return failed(err)
			}
		}
		c.Close()
		if err := l.Close(); err != nil {
			return failed(err)
		}
		return 0
	}
	// retire lets nobody in.
	errands["retire"] = func(args []string) int {
		l, err := transport.Listen(context.Background(), args[0], nil)
		if err != nil {
			return failed(err)
		}
		l.Retire()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			return failed(err)
		}
		fmt.Println("retired")
		if err := l.Close(); err != nil {
			return failed(err)
		}
		return 0
	}
}
