package transport_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/ekkojs/ipc/transport"
)

func TestParseAddress(t *testing.T) {
	for _, s := range []string{
		"unix:/run/user/1000/ekko-ipc/db.sock", "unix:/a", "unix:/ünï/;uid=0;", "unix:/a b/~",
		"fifo:/run/user/1000/ekko-ipc/db.fifo", "mq:db", "mq:a_b-c.D9", "mq:" + strings.Repeat("n", 200),
		"tcp:127.0.0.1:7000", "tcp:127.9.9.9:0", "tcp:[::1]:7000", "mem:x", "mem:any thing", "stdio:",
		"exec:cat", "exec:/bin/cat -u  -", `exec:["/opt/my service","-v",""]`, "inherit:db", "inherit:",
		"shm:/run/user/1000/ekko-ipc/db.shm",
	} {
		a, err := transport.ParseAddress(s)
		if err != nil || a.String() != s {
			t.Errorf("%q: got %q, %v", s, a, err)
		}
	}
	if a, err := transport.ParseAddress("tcp:localhost:70"); err != nil || a.String() != "tcp:127.0.0.1:70" {
		t.Errorf("localhost: got %q, %v", a, err)
	}
	for _, s := range []string{
		"", "unix", "unix:", "unix:relative", "unix:./x", "unix:/", "unix:/a/", "unix:/a/../b", "unix://a",
		"fifo:", "fifo:relative", "fifo:@abstract", "fifo:/a/", "fifo:/" + strings.Repeat("x", 100), "fifo:/a\nb",
		"mq:", "mq:/db", "mq:.db", "mq:a b", "mq:a~0u", "mq:ü", "mq:" + strings.Repeat("n", 201),
		"tcp:", "tcp:7000", "tcp:127.0.0.1", "tcp:127.0.0.1:", "tcp:127.0.0.1:65536", "tcp:127.0.0.1:http",
		"mem:", "stdio:x", "exec:", "exec: ", `exec:"cat"`, "exec:a 'b c'", `exec:a\ b`, "exec:[]", `exec:[""]`, `exec:["a",1]`, `exec:["a"`, "exec:a\x00b",
		"inherit:a:b", "shm:", "shm:x", "shm:@x", "shm:/a/../b", "http://127.0.0.1", "UNIX:/a", "/run/x.sock",
	} {
		if a, err := transport.ParseAddress(s); !errors.Is(err, transport.ErrInvalidAddress) {
			t.Errorf("%q: got %q, %v, want ErrInvalidAddress", s, a, err)
		}
	}
	for _, s := range []string{
		"tcp:0.0.0.0:1", "tcp:[::]:1", "tcp::1", "tcp:10.0.0.1:1", "tcp:example.com:1", "tcp:*:1",
		"tcp:localhost.evil.com:1", "tcp:[::ffff:10.0.0.1]:1", "tcp:169.254.1.1:1", "tcp:0x7f000001:1",
	} {
		if a, err := transport.ParseAddress(s); !errors.Is(err, transport.ErrNotLoopback) {
			t.Errorf("%q: got %q, %v, want ErrNotLoopback", s, a, err)
		}
	}
}

func TestF04_NoAbstractSockets(t *testing.T) {
	for _, s := range []string{"unix:@ekko", "unix:\x00ekko", "unix:@", "unix:\x00", "unix:@/run/ekko"} {
		if _, err := transport.Listen(t.Context(), s, nil); !errors.Is(err, transport.ErrInvalidAddress) {
			t.Errorf("Listen %q: got %v, want ErrInvalidAddress", s, err)
		}
		if _, err := transport.Dial(t.Context(), s, nil); !errors.Is(err, transport.ErrInvalidAddress) {
			t.Errorf("Dial %q: got %v, want ErrInvalidAddress", s, err)
		}
	}
	if open, err := os.ReadFile("/proc/net/unix"); err == nil && strings.Contains(string(open), "@ekko") {
		t.Error("there is an abstract socket")
	}
}

func TestF05_LengthOfPaths(t *testing.T) {
	dir := shortDir(t)
	for n := 90; n <= 130; n++ {
		path := filepath.Join(dir, strings.Repeat("x", n-len(dir)-1))
		l, err := transport.Listen(t.Context(), "unix:"+path, nil)
		if n > transport.MaxPath {
			if !errors.Is(err, transport.ErrInvalidAddress) || !strings.Contains(err.Error(), "100") {
				t.Errorf("%d bytes: got %v, want ErrInvalidAddress and the limit", n, err)
			}
			continue
		}
		must(t, err)
		dialFor(t, l.Addr(), nil).Close()
		must(t, l.Close())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestF05_StrangePaths(t *testing.T) {
	dir := shortDir(t)
	for _, name := range []string{"a\x00b", "a\nb", "a\tb", "a\x7fb", "a\u0085b"} {
		if _, err := transport.Listen(t.Context(), "unix:"+filepath.Join(dir, name), nil); !errors.Is(err, transport.ErrInvalidAddress) {
			t.Errorf("%q: got %v, want ErrInvalidAddress", name, err)
		}
	}
	for _, name := range []string{";uid=0;", "ünï", "a b", "$(x)", "a~", `a"b`} {
		l, err := transport.Listen(t.Context(), "unix:"+filepath.Join(dir, name), nil)
		must(t, err)
		c := dialFor(t, l.Addr(), nil)
		server := acceptFor(t, l)
		if got := server.Peer().UID; got != uint32(os.Geteuid()) {
			t.Errorf("%q: the peer became user %d", name, got)
		}
		c.Close()
		server.Close()
		must(t, l.Close())
	}
}

func TestF05_LongNamesAreHashed(t *testing.T) {
	long := strings.Repeat("n", 255)
	paths := make(map[string]string)
	for _, name := range []string{"db", "database-service", long, long[1:], long[:254] + "m", strings.Repeat("n", 70)} {
		path, err := transport.SocketPathForTest("/run/user/1000/ekko-ipc", name)
		if err != nil || len(path) > transport.MaxPath || filepath.Dir(path) != "/run/user/1000/ekko-ipc" {
			t.Errorf("%s: got %s (%d bytes), %v", name, path, len(path), err)
		}
		if paths[path] != "" {
			t.Errorf("%s and %s share %s", name, paths[path], path)
		}
		paths[path] = name
	}
	if path, _ := transport.SocketPathForTest("/run/x", "db"); path != "/run/x/db.sock" {
		t.Errorf("got %s", path)
	}
	if _, err := transport.SocketPathForTest("/"+strings.Repeat("d", 90), "db-service"); !errors.Is(err, transport.ErrInvalidAddress) {
		t.Errorf("in a directory too deep: got %v", err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "a\x00b", "a\nb", "a+b", "ü", ".x"} {
		if path, err := transport.SocketPath(name); !errors.Is(err, transport.ErrInvalidAddress) {
			t.Errorf("%q: got %s, %v, want ErrInvalidAddress", name, path, err)
		}
	}
}

// FuzzParseAddress: what is accepted can be told to the kernel as it is.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"unix:/a", "unix:@a", "unix:\x00", "tcp:127.0.0.1:1", "tcp:localhost:1", "mem:x", "stdio:", "fifo:/a", "mq:a", "exec:a b", `exec:["a b"]`, "inherit:x", "tls:a.b:1", "tls:[::1]:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := transport.ParseAddress(s)
		if err != nil {
			return
		}
		if again, err := transport.ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q: %+v became %+v, %v", s, a, again, err)
		}
		switch a.Scheme {
		case transport.SchemeUnix, transport.SchemeFIFO:
			if !filepath.IsAbs(a.Path) || len(a.Path) > transport.MaxPath || strings.ContainsFunc(a.Path, unicode.IsControl) {
				t.Errorf("%q is accepted", s)
			}
		case transport.SchemeTCP:
			if !a.Host.Addr().IsLoopback() {
				t.Errorf("%q is accepted", s)
			}
		case transport.SchemeTLS:
			if host, port, err := net.SplitHostPort(a.Authority); err != nil || host == "" || port == "" || strings.ContainsAny(host, "/@%* \x00\n") {
				t.Errorf("%q is accepted", s)
			}
		}
	})
}
