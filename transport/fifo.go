package transport

import (
	"context"
	"encoding/hex"
)

// A service that is reached by FIFOs reads one that all its clients know.
// A client makes two of its own beside it, leaves their number there, and
// speaks through them when the service has come:
//
//	db.fifo                  read by the service, written to by whoever comes
//	db.fifo~3f9c…u           from that client to the service
//	db.fifo~3f9c…d           from the service to that client
//
// The names of the two are gone before the first frame. Each has one writer
// and one reader, so nothing runs into anything else, and the end of a process
// is the end of what it wrote.
var fifoScheme = scheme{
	parse: func(rest string, a *Address) (err error) {
		a.Path, err = parsePath(rest)
		return err
	},
	text:   func(a *Address) string { return a.Path },
	listen: func(ctx context.Context, a *Address, o *Options) (Listener, error) { return listenFIFO(ctx, a.Path, o) },
	dial:   func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialFIFO(ctx, a.Path, o) },
}

// A FIFO takes up to PIPE_BUF bytes (512 on macOS, 4,096 on Linux) whole or
// not at all, however many write to it. A client's word is one line of fewer,
// with a newline before it as well, which ends what somebody else may have
// left unfinished.
const (
	fifoGreeting  = "ekko-fifo 1 "
	fifoNumberLen = 32 // hexadecimal digits
	fifoWordMax   = len(fifoGreeting) + fifoNumberLen
)

// fifoWord is what a client writes.
func fifoWord(number string) []byte { return []byte("\n" + fifoGreeting + number + "\n") }

// fifoNumber returns the number in a line, if it is one that a client wrote.
func fifoNumber(line []byte) (number string, ok bool) {
	if len(line) != fifoWordMax || string(line[:len(fifoGreeting)]) != fifoGreeting {
		return "", false
	}
	number = string(line[len(fifoGreeting):])
	return number, isFIFONumber(number)
}

func isFIFONumber(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == fifoNumberLen
}
