//go:build unix

package transport_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// stranger is another user of the machine.
const stranger = 1000

// errand is the test binary running as another process.
type errand struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	log   strings.Builder
	wait  func() error
}

// sendOut starts an errand; change may adjust the command.
func sendOut(t testing.TB, change func(*exec.Cmd), name string, args ...string) *errand {
	t.Helper()
	e := &errand{t: t, cmd: exec.Command(program(t), args...)}
	e.cmd.Env = append(os.Environ(), errandEnv+"="+name)
	e.cmd.Stderr = &e.log
	var err error
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	e.out = bufio.NewReader(out)
	if change != nil {
		change(e.cmd)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e.wait = sync.OnceValue(e.cmd.Wait)
	t.Cleanup(func() {
		e.cmd.Process.Kill()
		e.wait()
	})
	return e
}

// says reads one line of the errand's output.
func (e *errand) says() string {
	e.t.Helper()
	line, err := e.out.ReadString('\n')
	if err != nil {
		e.wait()
		e.t.Fatalf("errand said %q, then %v\n%s", line, err, e.log.String())
	}
	return strings.TrimSuffix(line, "\n")
}

func (e *errand) expect(want string) {
	e.t.Helper()
	if got := e.says(); got != want {
		e.t.Fatalf("errand said %q, want %q\n%s", got, want, e.log.String())
	}
}

func (e *errand) tell(line string) {
	e.t.Helper()
	if _, err := fmt.Fprintln(e.stdin, line); err != nil {
		e.t.Fatal(err)
	}
}

// as makes an errand run as that user.
func as(uid uint32) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		c.Dir = "/"
	}
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can act as another user")
	}
}

// program is a copy of this test that other users can run.
func program(t testing.TB) string {
	t.Helper()
	path, err := copyOfMe()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var copyOfMe = sync.OnceValues(func() (string, error) {
	me, err := os.Executable()
	if err != nil {
		return "", err
	}
	from, err := os.Open(me)
	if err != nil {
		return "", err
	}
	defer from.Close()
	dir, err := os.MkdirTemp("", "ekko")
	if err != nil {
		return "", err
	}
	atExit = append(atExit, func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "errand")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(to, from); err != nil {
		return "", err
	}
	if err := to.Close(); err != nil {
		return "", err
	}
	return path, os.Chmod(dir, 0o755)
})
