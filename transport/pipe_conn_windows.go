package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// A pipe is a file for Go's poller, opened for overlapped use.
type pipeFile struct{ *os.File }

// newPipeConn makes a Conn of a handle, which it owns from then on.
func newPipeConn(h windows.Handle, peer Peer, o *Options, f Framing) Conn {
	return newFramed(&plain{conn: pipeFile{os.NewFile(uintptr(h), "pipe")}}, peer, o, f)
}

// Read takes a server that has disconnected for one that has closed: what it
// does not have to say is the same.
func (f pipeFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED) {
		err = io.EOF
	}
	return n, err
}

// Each client needs an instance of the pipe that waits for one. If there is
// none there will be, in moments, unless all that is left of the service are
// connections: those have no lock.
const (
	busyPauseMin     = time.Millisecond
	busyPauseMax     = 50 * time.Millisecond
	busyPatience     = 5 * time.Second        // for callers whose context has no end
	unlockedPatience = 500 * time.Millisecond // with programs that know no lock
)

// pipeAccess is what is asked of a pipe: to read and write, but not to add
// instances to it, as GENERIC_WRITE would.
const pipeAccess = windows.FILE_READ_DATA | windows.FILE_READ_ATTRIBUTES | windows.FILE_WRITE_DATA | windows.FILE_WRITE_ATTRIBUTES |
	windows.READ_CONTROL | windows.SYNCHRONIZE

// pipeFlags let the server see who we are, and never be us.
const pipeFlags = windows.FILE_FLAG_OVERLAPPED | windows.SECURITY_SQOS_PRESENT | windows.SECURITY_IDENTIFICATION

func dialPipe(ctx context.Context, name string, o *Options) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, busyPatience)
	defer cancel()
	path, err := windows.UTF16PtrFromString(pipePrefix + name)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrInvalidAddress, name, err)
	}
	begin := time.Now()
	for pause := busyPauseMin; ; pause = min(2*pause, busyPauseMax) {
		h, err := windows.CreateFile(path, pipeAccess, 0, nil, windows.OPEN_EXISTING, pipeFlags, 0)
		if err == nil {
			return trustPipe(h, name, o)
		}
		err = &os.PathError{Op: "open", Path: pipePrefix + name, Err: err}
		if !errors.Is(err, windows.ERROR_PIPE_BUSY) {
			return nil, fmt.Errorf("transport: %w", err)
		}
		if time.Since(begin) > unlockedPatience && !isLocked(name) {
			return nil, fmt.Errorf("%w: %w", ErrRefused, err)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, fmt.Errorf("transport: pipe:%s accepts nobody: %w", name, ctx.Err())
		}
	}
}

// trustPipe looks at whose pipe it is before anything is said to him.
func trustPipe(h windows.Handle, name string, o *Options) (Conn, error) {
	owner, err := ownerOf(h)
	if err != nil {
		windows.CloseHandle(h)
		return nil, fmt.Errorf("%w at pipe:%s: asking for its owner: %v", ErrUntrustedPeer, name, err)
	}
	if !trustsOwner(owner) {
		windows.CloseHandle(h)
		return nil, fmt.Errorf("%w: pipe:%s belongs to %s", ErrUntrustedPeer, name, owner)
	}
	var pid uint32
	windows.GetNamedPipeServerProcessId(h, &pid)
	return newPipeConn(h, sidPeer(owner.String(), pid), o, o.dialFraming()), nil
}

// sidPeer is a peer that has a SID instead of numbers.
func sidPeer(sid string, pid uint32) Peer {
	return Peer{Known: true, UID: NoUID, GID: NoUID, SID: sid, PID: int32(pid)}
}

// OwnSID returns the SID of this process's user, such as "S-1-5-21-…-1001",
// and nothing where users have none or it is not to be known.
func OwnSID() string {
	sid, err := ownSID()
	if err != nil {
		return ""
	}
	return sid
}

// selfBySID is this process as the other end of its own connections.
func selfBySID() Peer {
	sid, err := ownSID()
	if err != nil {
		return Peer{}
	}
	return sidPeer(sid, uint32(os.Getpid()))
}
