package transport_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"

	"github.com/ekkojs/ipc/transport"
)

func TestParseAddress(t *testing.T) {
	for _, s := range []string{
		"unix:/run/user/1000/ekko-ipc/db.sock", "unix:/a", "unix:/ünï/;uid=0;", "unix:/a b/~",
		"fifo:/run/user/1000/ekko-ipc/db.fifo", "mq:db", "mq:a_b-c.D9", "mq:" + strings.Repeat("n", 200),
		"pipe:db", "pipe:Ekko-1.2_x+y", "pipe:" + strings.Repeat("x", transport.MaxPipeName),
		"tcp:127.0.0.1:7000", "tcp:127.9.9.9:0", "tcp:[::1]:7000", "mem:x", "mem:any thing", "stdio:",
		"exec:cat", "exec:cat -u  -", `exec:["my service","-v",""]`, "inherit:db", "inherit:",
		"shm:/run/user/1000/ekko-ipc/db.shm",
	} {
		if runtime.GOOS == "windows" {
			if scheme, path, _ := strings.Cut(s, ":/"); path != "" {
				s = scheme + `:C:\` + strings.ReplaceAll(path, "/", `\`)
			}
		}
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
		"pipe:", `pipe:\\.\pipe\db`, `pipe:a\b`, "pipe:a/b", "pipe:a b", "pipe:a\x00b", "pipe:ü", "pipe:..\\a", "pipe:a:b", "pipe:a~lock",
		"pipe:" + strings.Repeat("x", transport.MaxPipeName+1),
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
	notOnWindows(t, "a Unix socket of ours")
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
	notOnWindows(t, "a Unix socket of ours")
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
	notOnWindows(t, "a Unix socket of ours")
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

func TestF08_NamesOfServicePipes(t *testing.T) {
	const sid = "S-1-5-21-1004336348-1177238915-682003330-1001"
	for _, test := range []struct{ sid, dir, name, want string }{
		{sid, "", "db", "ekko-ipc+" + sid + "+db"},
		{sid, `C:\Run`, "db", "ekko-ipc+" + sid + "+a8e51fe38d9cdf3d+db"},
	} {
		if got := transport.ServicePipeForTest(test.sid, test.dir, test.name); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
	long := strings.Repeat("n", 255)
	names := make(map[string]bool)
	for _, dir := range []string{"", `C:\a`, `C:\b`} {
		for _, who := range []string{sid, sid[:len(sid)-1] + "2", "S" + strings.Repeat("-4294967295", 16)} {
			for _, name := range []string{"db", "users", long, long[1:], long[:254] + "m"} {
				pipe := transport.ServicePipeForTest(who, dir, name)
				if _, err := transport.ParseAddress("pipe:" + pipe); err != nil {
					t.Error(err)
				}
				if names[pipe] {
					t.Errorf("%s is the pipe of two", pipe)
				}
				names[pipe] = true
			}
		}
	}
}

// TestPipesAreOfWindows: elsewhere it is said at once what there is instead.
func TestPipesAreOfWindows(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("here they are")
	}
	for name, try := range map[string]func() error{
		"Listen": func() error { _, err := transport.Listen(t.Context(), "pipe:db", nil); return err },
		"Dial":   func() error { _, err := transport.Dial(t.Context(), "pipe:db", nil); return err },
	} {
		if err := try(); !errors.Is(err, transport.ErrUnsupported) || !strings.Contains(err.Error(), "unix:") {
			t.Errorf("%s: got %v, want ErrUnsupported and unix:", name, err)
		}
	}
}

// FuzzParseAddress: what is accepted can be told to the kernel as it is.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"unix:/a", "unix:@a", "unix:\x00", "tcp:127.0.0.1:1", "tcp:localhost:1", "mem:x", "stdio:", "fifo:/a", "mq:a", "exec:a b", `exec:["a b"]`, "inherit:x", "tls:a.b:1", "tls:[::1]:1", "pipe:x",
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
		case transport.SchemePipe:
			if strings.ContainsAny(a.Name, "\\/:\x00 ~") || len(a.Name) > transport.MaxPipeName {
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
