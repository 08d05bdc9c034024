package transport

import (
	"context"
	"fmt"
	"strings"
)

// MaxPipeName is the longest name of a Windows pipe, in bytes. The system has
// room for 256, with what it and the lock need of that.
const MaxPipeName = 200

var pipeScheme = scheme{
	parse: func(rest string, a *Address) (err error) {
		a.Name, err = parsePipe(rest)
		return err
	},
	text:   func(a *Address) string { return a.Name },
	listen: func(ctx context.Context, a *Address, o *Options) (Listener, error) { return listenPipe(ctx, a.Name, o) },
	dial:   func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialPipe(ctx, a.Name, o) },
}

// parsePipe takes what follows \\.\pipe\. Other machines cannot be meant,
// since no name holds a backslash.
func parsePipe(name string) (string, error) {
	strange := func(r rune) bool { return r != '+' && strangeInName(r) }
	switch {
	case name == "":
		return "", fmt.Errorf("it names no pipe: pipe:db is %sdb", pipePrefix)
	case strings.ContainsFunc(name, strange):
		return "", fmt.Errorf("a pipe is named by letters, digits, dots, -, _ and +, without the %s before it", pipePrefix)
	case len(name) > MaxPipeName:
		return "", fmt.Errorf("the name has %d bytes, which is over the limit of %d for a pipe", len(name), MaxPipeName)
	}
	return name, nil
}

// pipePrefix is before the names of this machine's pipes.
const pipePrefix = `\\.\pipe\`

// servicePipes returns what the names of the pipes of a user's services begin
// with: his SID, so that no two users' services share a name, and what stands
// for $EKKO_IPC_RUNTIME_DIR, if it is set. No service's name holds a plus
// sign, so what comes after the last is the service's. Capitals do not count,
// as the system has it.
func servicePipes(sid, runtimeDir string) string {
	if len(sid) > MaxPipeName/2 { // none is, of those that there are
		sid = hashOf(sid)
	}
	if runtimeDir == "" {
		return "ekko-ipc+" + sid + "+"
	}
	return "ekko-ipc+" + sid + "+" + hashOf(strings.ToLower(runtimeDir)) + "+"
}

// servicePipe returns the name of the pipe of a service. One too long for a
// pipe is shortened and told apart by a hash.
func servicePipe(pipes, name string) string {
	return pipes + shortened(name, MaxPipeName-len(pipes))
}
