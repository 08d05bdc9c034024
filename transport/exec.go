package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

var execScheme = scheme{
	parse: func(rest string, a *Address) error {
		_, err := parseCommand(rest)
		a.Command = rest
		return err
	},
	text: func(a *Address) string { return a.Command },
	listen: func(context.Context, *Address, *Options) (Listener, error) {
		return nil, fmt.Errorf("%w: a program is started by who calls it; the program itself serves the address stdio:, by which it is spoken to", ErrUnsupported)
	},
	dial: func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialExec(ctx, a.Command, o) },
}

// parseCommand reads a program and its arguments, as words between spaces or
// as a JSON list of strings.
func parseCommand(text string) (command []string, err error) {
	switch {
	case strings.HasPrefix(text, "["):
		if err := json.Unmarshal([]byte(text), &command); err != nil {
			return nil, fmt.Errorf("the command is no JSON list of strings: %w", err)
		}
	case strings.ContainsAny(text, `"'\`):
		return nil, errors.New(`no shell reads the command: words with spaces or quotes are written as a JSON list, exec:["program","an argument"]`)
	default:
		command = strings.Fields(text)
	}
	if len(command) == 0 || command[0] == "" {
		return nil, errors.New("it names no program")
	}
	if strings.ContainsRune(strings.Join(command, ""), 0) {
		return nil, errors.New("the command holds a NUL")
	}
	return command, nil
}

// childGrace is how long a program has to end once its standard input has: a
// constant, but for tests.
var childGrace = 5 * time.Second

// child is a connection to a program that it has started.
type child struct {
	Conn
	process *os.Process
	gone    chan struct{} // closed when the process has ended
	closing sync.Once
}

// dialExec starts a program and speaks to its standard input and output; its
// standard error is that of this process. Who it runs as is not asked: Peer
// is not Known.
func dialExec(ctx context.Context, text string, o *Options) (Conn, error) {
	command, err := parseCommand(text)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var far, near [2]*os.File // of each pipe: that for the program, and ours
	if far[0], near[1], err = os.Pipe(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if near[0], far[1], err = os.Pipe(); err != nil {
		closeAll(far[0], near[1])
		return nil, fmt.Errorf("transport: %w", err)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far[0], far[1], os.Stderr
	err = cmd.Start()
	closeAll(far[0], far[1])
	if err != nil {
		closeAll(near[0], near[1])
		if errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		return nil, fmt.Errorf("transport: starting %s: %w", command[0], err)
	}
	c := &child{process: cmd.Process, gone: make(chan struct{})}
	go func() { // ends with the process
		cmd.Wait()
		close(c.gone)
	}()
	if c.Conn, err = Pipe(near[0], near[1], o); err != nil {
		closeAll(near[0], near[1])
		c.end()
		return nil, err
	}
	return c, nil
}

// Close ends the program's standard input, upon which it should end too, and
// does not wait for that: who is still there after the grace is killed.
func (c *child) Close() error {
	err := c.Conn.Close()
	c.closing.Do(c.end)
	return err
}

func (c *child) end() {
	kill := time.AfterFunc(childGrace, func() { c.process.Kill() })
	go func() {
		<-c.gone
		kill.Stop()
	}()
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}
