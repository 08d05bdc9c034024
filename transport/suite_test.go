package transport_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/transport/transporttest"
)

func own() transport.Peer {
	if runtime.GOOS == "windows" {
		return ownBySID()
	}
	return transport.Peer{Known: true, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), PID: int32(os.Getpid())}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listenFor returns a listener that lives as long as the test.
func listenFor(t testing.TB, address string, o *transport.Options) transport.Listener {
	t.Helper()
	l, err := transport.Listen(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dialFor(t testing.TB, address string, o *transport.Options) transport.Conn {
	t.Helper()
	c, err := transport.Dial(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func acceptFor(t testing.TB, l transport.Listener) transport.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// byAddress makes pairs by Listen and Dial.
func byAddress(address func(testing.TB) string) func(testing.TB, *transport.Options) (server, client transport.Conn) {
	return func(t testing.TB, o *transport.Options) (server, client transport.Conn) {
		l := listenFor(t, address(t), o)
		client = dialFor(t, l.Addr(), o)
		server = acceptFor(t, l)
		l.Close()
		return server, client
	}
}

func unixAddress(t testing.TB) string { return "unix:" + filepath.Join(shortDir(t), "s") }

// shortDir is t.TempDir with a path short enough for sockets.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ekko")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// notOnWindows skips what is not there, or not so.
func notOnWindows(t testing.TB, what string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("on Windows there is no such thing:", what)
	}
}

func TestFactsUnix(t *testing.T) { unixSuite(t) }

// TestFactsUnixWatched has the connections above the number that may be quiet.
func TestFactsUnixWatched(t *testing.T) {
	defer transport.NoQuietForTest()()
	unixSuite(t)
}

func unixSuite(t *testing.T) {
	notOnWindows(t, "a socket that tells who its peer is")
	transporttest.Run(t, transporttest.Transport{
		Pair: byAddress(unixAddress),
		Raw: func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
			l := listenFor(t, unixAddress(t), o)
			c, err := net.Dial("unix", l.Addr()[len("unix:"):])
			if err != nil {
				t.Fatal(err)
			}
			server := acceptFor(t, l)
			l.Close()
			return server, c.(*net.UnixConn)
		},
		Peer: own(),
	})
}

func tcpAddress(testing.TB) string { return "tcp:127.0.0.1:0" }

func TestFactsTCP(t *testing.T) {
	transporttest.Run(t, transporttest.Transport{
		Pair: byAddress(tcpAddress),
		Raw: func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
			l := listenFor(t, tcpAddress(t), o)
			c, err := net.Dial("tcp", l.Addr()[len("tcp:"):])
			if err != nil {
				t.Fatal(err)
			}
			server := acceptFor(t, l)
			l.Close()
			return server, c.(*net.TCPConn)
		},
		Waits: runtime.GOOS == "windows",
	})
}

func TestFactsMemory(t *testing.T) {
	transporttest.Run(t, transporttest.Transport{
		Pair: func(_ testing.TB, o *transport.Options) (server, client transport.Conn) {
			return transport.Pair(o)
		},
		Raw: func(_ testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
			return transport.MemoryForTest(o)
		},
		Peer:    own(),
		Patient: true,
	})
}

func TestFactsPipe(t *testing.T) {
	notOnWindows(t, "an anonymous pipe whose reading can be ended")
	transporttest.Run(t, transporttest.Transport{
		Pair: func(t testing.TB, o *transport.Options) (server, client transport.Conn) {
			a, b := pipes(t)
			return pipe(t, transport.PipeForTest, a, o), pipe(t, transport.Pipe, b, o)
		},
		Raw: func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
			a, b := pipes(t)
			return pipe(t, transport.PipeForTest, a, o), bareFiles{b[0], b[1]}
		},
	})
}

func pipes(t testing.TB) (a, b [2]*os.File) {
	t.Helper()
	r1, w1, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return [2]*os.File{r1, w2}, [2]*os.File{r2, w1}
}

func pipe(t testing.TB, make pipeMaker, files [2]*os.File, o *transport.Options) transport.Conn {
	t.Helper()
	c, err := make(files[0], files[1], o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type pipeMaker func(in, out *os.File, o *transport.Options) (transport.Conn, error)

// bareFiles are one end of two pipes.
type bareFiles struct{ in, out *os.File }

func (f bareFiles) Read(p []byte) (int, error)  { return f.in.Read(p) }
func (f bareFiles) Write(p []byte) (int, error) { return f.out.Write(p) }
func (f bareFiles) CloseWrite() error           { return f.out.Close() }

func (f bareFiles) Close() error {
	f.out.Close()
	return f.in.Close()
}

// TestFactsPlain checks how systems without a poller to speak to read a socket.
func TestFactsPlain(t *testing.T) {
	dial := func(t testing.TB) (server, client net.Conn) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		if server, err = l.Accept(); err != nil {
			t.Fatal(err)
		}
		return server, client
	}
	transporttest.Run(t, transporttest.Transport{
		Pair: func(t testing.TB, o *transport.Options) (server, client transport.Conn) {
			a, b := dial(t)
			return transport.PlainForTest(a, o, false), transport.PlainForTest(b, o, true)
		},
		Raw: func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
			a, b := dial(t)
			return transport.PlainForTest(a, o, false), b.(*net.TCPConn)
		},
		Waits: true,
	})
}
