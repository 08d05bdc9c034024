//go:build unix

package transport_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// command is the address of a program with arguments.
func command(t testing.TB, words ...string) string {
	t.Helper()
	list, err := json.Marshal(words)
	must(t, err)
	return "exec:" + string(list)
}

// shell is the address of a small program.
func shell(t testing.TB, script string) string { return command(t, "/bin/sh", "-c", script) }

func TestExec(t *testing.T) {
	t.Setenv(errandEnv, "echo on stdio")
	c := dialFor(t, command(t, program(t)), nil)
	if c.Peer().Known {
		t.Error("who a program runs as is not known")
	}
	echoes(t, c)
	<-transport.GoneForTest(c)
}

// TestExecEnds: a program that has ended is the end of the stream.
func TestExecEnds(t *testing.T) {
	c := dialFor(t, "exec:true", nil)
	if _, err := c.ReadFrame(); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
	must(t, c.Close())
	<-transport.GoneForTest(c)
}

// TestExecIsKilled: a program that does not care for the end of its standard
// input does not stay.
func TestExecIsKilled(t *testing.T) {
	defer transport.GraceForTest(time.Millisecond)()
	c := dialFor(t, "exec:sleep 1000", nil)
	must(t, c.Close())
	must(t, c.Close())
	<-transport.GoneForTest(c)
}

// TestExecHasNoMore: what is open here is not open there.
func TestExecHasNoMore(t *testing.T) {
	open := func() string {
		c := dialFor(t, shell(t, `ls /dev/fd | tr '\n' ' '`), &transport.Options{Framing: transport.FramingLine})
		defer c.Close()
		frame, err := c.ReadFrame()
		must(t, err)
		return string(frame)
	}
	before := open() // what this test was started with
	l := listenFor(t, unixAddress(t), nil)
	defer dialFor(t, l.Addr(), nil).Close()
	defer dialFor(t, "exec:cat", nil).Close()
	if after := open(); after != before {
		t.Errorf("a program is given %s, and had been given %s", after, before)
	}
}

func TestExecOfNothing(t *testing.T) {
	for _, address := range []string{"exec:there-is-no-such-program", "exec:/no/such/program"} {
		if _, err := transport.Dial(t.Context(), address, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want ErrNotExist", address, err)
		}
	}
	if _, err := transport.Dial(t.Context(), "exec:/dev/null", nil); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want ErrPermission", err)
	}
	if _, err := transport.Listen(t.Context(), "exec:cat", nil); !errors.Is(err, transport.ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
}
