//go:build unix

package registry

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

func TestTransportAddress(t *testing.T) {
	w := newWorld(t)
	type transport = manifest.Transport
	for _, test := range []struct {
		t    transport
		want string // an address, or a code
	}{
		{transport{Type: "auto"}, "unix:$RUN/db.sock"},
		{transport{}, "unix:$RUN/db.sock"},
		{transport{Type: "namedpipe", Address: "ekko-db-service"}, "unix:$RUN/ekko-db-service.sock"},
		{transport{Type: "namedpipe", Address: `\\.\pipe\ekko-db`}, "unix:$RUN/ekko-db.sock"},
		{transport{Type: "unix", Address: "x.sock"}, "unix:$RUN/x.sock"},
		{transport{Type: "unix", Address: "$RUN/x.sock"}, "unix:$RUN/x.sock"},
		{transport{Type: "unix", Address: "$RUN/./deep//x.sock"}, "unix:$RUN/deep/x.sock"},
		{transport{Type: "unix", Address: "unix:$RUN/x.sock"}, "unix:$RUN/x.sock"},

		{transport{Type: "unix", Address: "../x"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "a/../../x"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: ".."}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "sub/x"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: `..\x`}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "@abstract"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "\x00abstract"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "a\nb"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: ".sock"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "/tmp/x.sock"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "$RUN"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "$RUN/../x.sock"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "$RUN-evil/x.sock"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "unix:x.sock"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "unix:/etc/x.sock"}, "UNTRUSTED_PEER"},
		{transport{Type: "unix", Address: "$RUN/" + strings.Repeat("x", 100)}, "UNTRUSTED_PEER"},

		{transport{Type: "tcp", Port: 7000}, "tcp:127.0.0.1:7000"},
		{transport{Type: "tcp", Address: "localhost", Port: 7000}, "tcp:127.0.0.1:7000"},
		{transport{Type: "tcp", Address: "127.0.0.2", Port: 7000}, "tcp:127.0.0.2:7000"},
		{transport{Type: "tcp", Address: "::1", Port: 7000}, "tcp:[::1]:7000"},
		{transport{Type: "tcp", Address: "[::1]:7001"}, "tcp:[::1]:7001"},
		{transport{Type: "tcp", Address: "tcp:127.0.0.1:7001"}, "tcp:127.0.0.1:7001"},
		{transport{Type: "tcp", Address: "localhost:7001"}, "tcp:127.0.0.1:7001"},
		{transport{Type: "tcp"}, "SCHEMA_MISMATCH"},
		{transport{Type: "tcp", Port: 70000}, "SCHEMA_MISMATCH"},
		{transport{Type: "tcp", Address: "0.0.0.0", Port: 7000}, "UNTRUSTED_PEER"},
		{transport{Type: "tcp", Address: "::", Port: 7000}, "UNTRUSTED_PEER"},
		{transport{Type: "tcp", Address: "10.1.2.3", Port: 7000}, "UNTRUSTED_PEER"},
		{transport{Type: "tcp", Address: "example.com", Port: 7000}, "UNTRUSTED_PEER"},
		{transport{Type: "tcp", Address: "127.0.0.1.example.com", Port: 7000}, "UNTRUSTED_PEER"},
		{transport{Type: "tcp", Port: 7000, TLS: &manifest.TLS{}}, "tls:127.0.0.1:7000"},
		{transport{Type: "tcp", Address: "localhost", Port: 7000, TLS: &manifest.TLS{}}, "tls:localhost:7000"},
		{transport{Type: "tcp", Address: "db.example.com", Port: 7000, TLS: &manifest.TLS{}}, "tls:db.example.com:7000"},
		{transport{Type: "tcp", Address: "10.1.2.3", Port: 7000, TLS: &manifest.TLS{}}, "tls:10.1.2.3:7000"},
		{transport{Type: "tcp", Address: "[::1]:7001", TLS: &manifest.TLS{}}, "tls:[::1]:7001"},
		{transport{Type: "tcp", Address: "tls:db.example.com:7001", TLS: &manifest.TLS{}}, "tls:db.example.com:7001"},
		{transport{Type: "tcp", Address: "0.0.0.0", Port: 7000, TLS: &manifest.TLS{}}, "UNTRUSTED_PEER"},
		{transport{Type: "tcp", Address: "a b", Port: 7000, TLS: &manifest.TLS{}}, "UNTRUSTED_PEER"},
		{transport{Type: "tcp", TLS: &manifest.TLS{}}, "SCHEMA_MISMATCH"},

		{transport{Type: "fifo"}, "fifo:$RUN/db.fifo"},
		{transport{Type: "fifo", Address: "x"}, "fifo:$RUN/x.fifo"},
		{transport{Type: "fifo", Address: "x.fifo"}, "fifo:$RUN/x.fifo"},
		{transport{Type: "fifo", Address: "$RUN/deep/x"}, "fifo:$RUN/deep/x"},
		{transport{Type: "fifo", Address: "fifo:$RUN/x.fifo"}, "fifo:$RUN/x.fifo"},
		{transport{Type: "fifo", Address: "/tmp/x.fifo"}, "UNTRUSTED_PEER"},
		{transport{Type: "fifo", Address: "../x"}, "UNTRUSTED_PEER"},
		{transport{Type: "fifo", Address: "fifo:/etc/x"}, "UNTRUSTED_PEER"},
		{transport{Type: "fifo", Address: ".fifo"}, "UNTRUSTED_PEER"},

		{transport{Type: "messagequeue"}, "mq:db"},
		{transport{Type: "messagequeue", Address: "jobs.high"}, "mq:jobs.high"},
		{transport{Type: "messagequeue", Address: "mq:jobs"}, "mq:jobs"},
		{transport{Type: "messagequeue", Address: "$RUN/jobs"}, "UNTRUSTED_PEER"},
		{transport{Type: "messagequeue", Address: ".."}, "UNTRUSTED_PEER"},
		{transport{Type: "messagequeue", Address: "a/b"}, "UNTRUSTED_PEER"},

		{transport{Type: "stdio"}, "TRANSPORT_UNSUPPORTED"},
	} {
		test.t.Address = w.path(test.t.Address)
		got, err := TransportAddress("db", &test.t)
		if err != nil {
			got = string(wire.CodeOf(err))
		}
		if w.named(got) != test.want {
			t.Errorf("%s %q port %d: %s instead of %s (%v)", test.t.Type, w.named(test.t.Address), test.t.Port, w.named(got), test.want, err)
		}
	}
}

// TestOffers: memory is offered beside the socket of an auto transport, tried
// before it, and is not what a service's address is.
func TestOffers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no shared memory on this system")
	}
	w := newWorld(t)
	for transport, want := range map[string]string{
		`{"type":"auto"}`:                                      "[shm:$RUN/db.shm unix:$RUN/db.sock]",
		`{"type":"auto","address":"x"}`:                        "[shm:$RUN/x.shm unix:$RUN/x.sock]",
		`{"type":"unix"}`:                                      "[unix:$RUN/db.sock]",
		`{"type":"tcp","port":7000,"fallback":["auto"]}`:       "[tcp:127.0.0.1:7000 shm:$RUN/db.shm unix:$RUN/db.sock]",
		`{"type":"auto","address":"` + w.path("$RUN/x") + `"}`: "[unix:$RUN/x]", // nothing to derive a name from
	} {
		w.write("$WORK/db.ekko.ipc.json", fmt.Sprintf(`{"service":{"name":"db","version":"1.0.0","transport":%s}}`, transport))
		r, err := w.Resolve(context.Background(), "db")
		if err != nil {
			t.Errorf("%s: %v", transport, err)
			continue
		}
		var ways []string
		for _, way := range r.Ways {
			ways = append(ways, w.named(way.Address))
		}
		if got := fmt.Sprint(ways); got != want || strings.HasPrefix(r.Address, "shm:") {
			t.Errorf("%s: %s at %s, want %s", transport, got, w.named(r.Address), want)
		}
	}
}

func TestFallbacks(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct{ transport, want, ways string }{
		{`{"type":"stdio","fallback":["tcp","unix"],"port":7000}`, "tcp:127.0.0.1:7000", "[- tcp:127.0.0.1:7000 unix:$RUN/db.sock]"},
		{`{"type":"unix","fallback":["stdio"]}`, "unix:$RUN/db.sock", "[unix:$RUN/db.sock -]"},
		{`{"type":"stdio","fallback":["stdio"]}`, "", ""},
		{`{"type":"fifo","fallback":["messagequeue","unix"]}`, "fifo:$RUN/db.fifo", "[fifo:$RUN/db.fifo mq:db unix:$RUN/db.sock]"},
	} {
		w.write("$WORK/db.ekko.ipc.json", fmt.Sprintf(`{"service":{"name":"db","version":"1.0.0","transport":%s}}`, test.transport))
		r, err := w.Resolve(context.Background(), "db")
		if test.want == "" {
			if !errors.Is(err, wire.CodeTransportUnsupported) || !strings.Contains(w.named(err.Error()), "$WORK/db.ekko.ipc.json: ") {
				t.Errorf("%s: %v", test.transport, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.transport, err)
			continue
		}
		var ways []string
		for i, way := range r.Ways {
			at := way.Address
			if (way.Err != nil) != (at == "") || way.Transport == nil || string(way.Transport.Type) == "" {
				t.Errorf("%s: way %d is %+v", test.transport, i, way)
			}
			if at == "" {
				at = "-"
			}
			ways = append(ways, at)
		}
		if got := w.named(r.Address); got != test.want || w.named(fmt.Sprint(ways)) != test.ways {
			t.Errorf("%s: %s %v", test.transport, got, ways)
		}
	}
}

// TestSharedMemoryAddress: there is shared memory on Linux only; elsewhere the
// fallbacks are what is left.
func TestSharedMemoryAddress(t *testing.T) {
	w := newWorld(t)
	for address, want := range map[string]string{
		"":                                 "shm:$RUN/db.shm",
		"x":                                "shm:$RUN/x.shm",
		"x.shm":                            "shm:$RUN/x.shm",
		"$RUN/x.shm":                       "shm:$RUN/x.shm",
		"$RUN/deep//x":                     "shm:$RUN/deep/x",
		"shm:$RUN/x.shm":                   "shm:$RUN/x.shm",
		"unix:$RUN/x.shm":                  "UNTRUSTED_PEER",
		"$RUN":                             "UNTRUSTED_PEER",
		"$RUN/../x.shm":                    "UNTRUSTED_PEER",
		"/dev/shm/x":                       "UNTRUSTED_PEER",
		"shm:/dev/shm/x":                   "UNTRUSTED_PEER",
		"..":                               "UNTRUSTED_PEER",
		".shm":                             "UNTRUSTED_PEER",
		"a/b":                              "UNTRUSTED_PEER",
		"@x":                               "UNTRUSTED_PEER",
		"$RUN/" + strings.Repeat("x", 100): "UNTRUSTED_PEER",
	} {
		if runtime.GOOS != "linux" {
			want = "TRANSPORT_UNSUPPORTED"
		}
		got, err := TransportAddress("db", &manifest.Transport{Type: "shm", Address: w.path(address)})
		if err != nil {
			got = string(wire.CodeOf(err))
		}
		if w.named(got) != want {
			t.Errorf("%q: %s instead of %s (%v)", address, w.named(got), want, err)
		}
	}
}
