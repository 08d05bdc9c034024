package auth_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/auth"
	"github.com/ekkojs/ipc/transport"
)

const dialEnv = "AUTH_TEST_DIAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(dialEnv); path != "" {
		dialAndWait(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// dialAndWait is a client in a process of its own.
func dialAndWait(path string) {
	c, err := net.Dial("unix", path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("connected")
	io.Copy(io.Discard, os.Stdin)
	c.Close()
}

// TestF06_ExeOfTheLivingOnly: the program of a peer is told while the peer
// lives, and not that of whoever may have its number later.
func TestF06_ExeOfTheLivingOnly(t *testing.T) {
	dir, err := os.MkdirTemp("", "ekko")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := transport.Listen(t.Context(), "unix:"+filepath.Join(dir, "s"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	client := exec.Command(me)
	client.Env = append(os.Environ(), dialEnv+"="+filepath.Join(dir, "s"))
	stdin, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(stdout).ReadString('\n'); said != "connected\n" {
		t.Fatal(said, err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c, err := auth.FromPeer(conn.Peer())
	if err != nil {
		t.Fatal(err)
	}
	if c.UID != uint32(os.Geteuid()) || c.PID != int32(client.Process.Pid) {
		t.Errorf("got %v, want process %d", c, client.Process.Pid)
	}
	for range 2 {
		if got := c.Exe(); got != me {
			t.Errorf("got %q, want %q", got, me)
		}
	}
	stdin.Close()
	if err := client.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := c.Exe(); got != "" {
		t.Errorf("a dead process runs %q", got)
	}
	conn.Close()
	if got := c.Exe(); got != "" {
		t.Errorf("over a closed connection: %q", got)
	}
}
