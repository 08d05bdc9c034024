package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// cli is one run of the program: its streams, and the flags that every
// command has. There is no state outside of it, so a test may run as many as
// it likes.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	// outTerminal and errTerminal say whether a person reads the stream,
	// inTerminal whether one types it.
	inTerminal, outTerminal, errTerminal bool

	json    switchFlag // -j
	color   colorFlag
	timeout timeoutFlag
	quiet   bool
	verbose bool

	// running turns true when a command's own code begins: every error before
	// that is the fault of the command line.
	running bool
}

func newCLI(stdin io.Reader, stdout, stderr io.Writer) *cli {
	return &cli{
		stdin:       stdin,
		stdout:      stdout,
		stderr:      stderr,
		inTerminal:  isTerminal(stdin),
		outTerminal: isTerminal(stdout),
		errTerminal: isTerminal(stderr),
		color:       colorAuto,
	}
}

// isTerminal reports whether a reader or a writer is one.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// run executes one command line and returns the exit status of the process.
func (c *cli) run(ctx context.Context, args []string) int {
	root := newRoot(c)
	root.SetArgs(shieldNumbers(args))
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !c.running {
		err = asUsage(err, cmd)
	}
	if _, chosen := errors.AsType[statusError](err); err != nil && !chosen {
		// What fails because of a signal fails with it, whatever it says.
		err = cmp.Or(signalled(ctx), err)
	}
	c.report(err)
	return exitStatus(err)
}

// wantsJSON reports whether data goes out as JSON lines: when asked for, and
// when a program rather than a person reads them.
func (c *cli) wantsJSON() bool {
	if c.json.set {
		return c.json.value
	}
	return !c.outTerminal
}

// wantsJSONDocument is wantsJSON for what is written to be read: help-like
// texts become JSON only when asked for, so that they can go into a pager.
func (c *cli) wantsJSONDocument() bool { return c.json.value }

// out returns the colours for standard output.
func (c *cli) out() palette { return c.color.palette(c.outTerminal) }

// err returns the colours for standard error.
func (c *cli) err() palette { return c.color.palette(c.errTerminal) }

// emit writes v as one line of JSON to standard output.
func (c *cli) emit(v any) error {
	line, err := encode(v)
	if err != nil {
		return err
	}
	_, err = c.stdout.Write(line)
	return err
}

// print writes text to standard output.
func (c *cli) print(text string) error {
	_, err := io.WriteString(c.stdout, text)
	return err
}

// note tells the person at the terminal what is going on. Notes go to standard
// error, so that they never mix with data, and -q silences them.
func (c *cli) note(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintln(c.stderr, c.err().dim(fmt.Sprintf(format, args...)))
	}
}

// detail is a note that only -v shows.
func (c *cli) detail(format string, args ...any) {
	if c.verbose {
		c.note(format, args...)
	}
}

// deadline bounds ctx by --timeout, or by usual where the flag is not given.
// Zero means no bound.
func (c *cli) deadline(ctx context.Context, usual time.Duration) (context.Context, context.CancelFunc) {
	limit := c.timeout.or(usual)
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// encode is json.Marshal followed by a line feed, without the escapes that
// only HTML needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
