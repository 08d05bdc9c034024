package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"
)

// pipeBacklog is how many instances of a pipe wait for clients: as many come
// at once without being told that the pipe is busy, which Dial gets over.
const pipeBacklog = 16

// pipeBuffer is how much the system keeps of what one side has written and
// the other not yet read.
const pipeBuffer = 64 << 10

// pipeListener serves a pipe of which it holds the lock. There is always an
// instance of it, so that its name is never free for another.
type pipeListener struct {
	name     string
	options  *Options
	security *windows.SecurityAttributes
	wake     windows.Handle // an event that ends the waiting for good

	retiring sync.Once
	retired  atomic.Bool
	closed   atomic.Bool

	mu      sync.Mutex      // held by Accept while it waits: set wake, then lock
	lock    windows.Handle  // 0 once given up
	waiting []*pipeInstance // for a client, or for Accept
	pause   time.Duration   // of an Accept without instances
}

// pipeInstance is the place for one client.
type pipeInstance struct {
	pipe  windows.Handle
	ready windows.Overlapped // its event is set when the client is there
}

func listenPipe(_ context.Context, name string, o *Options) (Listener, error) {
	access, err := security(pipeSDDL)
	if err != nil {
		return nil, err
	}
	lock, err := lockPipe(name)
	if err != nil {
		return nil, err
	}
	l := &pipeListener{name: name, options: o, security: access, lock: lock}
	if err := l.start(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *pipeListener) start() (err error) {
	if l.wake, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	first, err := l.newInstance(true)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		// Nobody who knows locks listens, but connections may be left.
		first, err = l.newInstance(false)
	}
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED), errors.Is(err, windows.ERROR_PIPE_BUSY):
		return fmt.Errorf("%w: another program serves %s%s, perhaps as another user", ErrAddressInUse, pipePrefix, l.name)
	case err != nil:
		return fmt.Errorf("transport: pipe:%s: %w", l.name, err)
	}
	l.waiting = append(l.waiting, first)
	if err := checkOurs(first.pipe); err != nil {
		return fmt.Errorf("%w: %s%s is another program's: %w", ErrAddressInUse, pipePrefix, l.name, err)
	}
	l.fill() // as far as there is memory: Accept goes on with it
	return nil
}

// newInstance makes an instance and lets it wait for a client.
func (l *pipeListener) newInstance(first bool) (*pipeInstance, error) {
	path, err := windows.UTF16PtrFromString(pipePrefix + l.name)
	if err != nil {
		return nil, err
	}
	flags := uint32(windows.PIPE_ACCESS_DUPLEX | windows.FILE_FLAG_OVERLAPPED)
	if first {
		flags |= windows.FILE_FLAG_FIRST_PIPE_INSTANCE
	}
	i := new(pipeInstance)
	if i.ready.HEvent, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, err
	}
	i.pipe, err = windows.CreateNamedPipe(path, flags, windows.PIPE_TYPE_BYTE|windows.PIPE_REJECT_REMOTE_CLIENTS,
		windows.PIPE_UNLIMITED_INSTANCES, pipeBuffer, pipeBuffer, 0, l.security)
	if err != nil {
		windows.CloseHandle(i.ready.HEvent)
		return nil, err
	}
	switch err := windows.ConnectNamedPipe(i.pipe, &i.ready); err {
	case nil, windows.ERROR_PIPE_CONNECTED, windows.ERROR_NO_DATA: // the last has come, spoken and gone
		windows.SetEvent(i.ready.HEvent)
	case windows.ERROR_IO_PENDING:
	default:
		i.close()
		return nil, err
	}
	return i, nil
}

// connected reports whether a client is there.
func (i *pipeInstance) connected() bool {
	e, err := windows.WaitForSingleObject(i.ready.HEvent, 0)
	return err == nil && e == windows.WAIT_OBJECT_0
}

// cancel ends the waiting for a client. It reports false if one has come.
func (i *pipeInstance) cancel() bool {
	if i.connected() {
		return false
	}
	windows.CancelIoEx(i.pipe, &i.ready)
	var n uint32
	return windows.GetOverlappedResult(i.pipe, &i.ready, &n, true) != nil
}

func (i *pipeInstance) close() {
	windows.CloseHandle(i.pipe)
	windows.CloseHandle(i.ready.HEvent)
}

func (l *pipeListener) Accept() (Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.retired.Load() {
			l.vacate() // before Retire can
		}
		switch at := slices.IndexFunc(l.waiting, (*pipeInstance).connected); {
		case l.closed.Load():
			return nil, net.ErrClosed
		case at >= 0:
			if c := l.take(at); c != nil {
				return c, nil
			}
		case l.retired.Load():
			return nil, net.ErrClosed
		default:
			if err := l.wait(); err != nil {
				return nil, err
			}
		}
	}
}

// take makes a connection of an instance whose client has come: nil if there
// is nobody any more.
func (l *pipeListener) take(at int) Conn {
	i := l.waiting[at]
	l.waiting = slices.Delete(l.waiting, at, at+1)
	l.fill() // while there is this one, or the name would be free
	windows.CloseHandle(i.ready.HEvent)
	sid, err := clientOf(i.pipe)
	if err != nil {
		windows.CloseHandle(i.pipe) // whoever the kernel cannot name is not served
		return nil
	}
	var pid uint32
	windows.GetNamedPipeClientProcessId(i.pipe, &pid)
	return newPipeConn(i.pipe, sidPeer(sid, pid), l.options, l.options.listenFraming())
}

// fill makes as many instances as there are to be.
func (l *pipeListener) fill() error {
	for len(l.waiting) < pipeBacklog && !l.retired.Load() {
		i, err := l.newInstance(false)
		if err != nil {
			return err
		}
		l.waiting = append(l.waiting, i)
	}
	return nil
}

// wait returns when there may be something to do. Want of memory makes it
// pause, not fail: the connections that live will go some time.
func (l *pipeListener) wait() error {
	handles, timeout := []windows.Handle{l.wake}, uint32(windows.INFINITE)
	if err := l.fill(); err != nil && len(l.waiting) == 0 {
		l.pause = min(max(2*l.pause, acceptPauseMin), acceptPauseMax)
		timeout = uint32(l.pause.Milliseconds())
	} else {
		l.pause = 0
	}
	for _, i := range l.waiting {
		handles = append(handles, i.ready.HEvent)
	}
	if _, err := windows.WaitForMultipleObjects(handles, false, timeout); err != nil {
		return fmt.Errorf("transport: pipe:%s: %w", l.name, err)
	}
	return nil
}

// vacate gives up the lock and all instances to which no client has come.
func (l *pipeListener) vacate() {
	l.waiting = slices.DeleteFunc(l.waiting, func(i *pipeInstance) bool {
		if !i.cancel() {
			return false
		}
		i.close()
		return true
	})
	if l.lock != 0 {
		windows.CloseHandle(l.lock)
		l.lock = 0
	}
}

func (l *pipeListener) Addr() string { return SchemePipe + ":" + l.name }

// Retire takes away what clients could come to.
func (l *pipeListener) Retire() {
	l.retiring.Do(func() {
		l.retired.Store(true)
		windows.SetEvent(l.wake)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.vacate()
	})
}

func (l *pipeListener) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.Retire()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.waiting {
		i.close()
	}
	l.waiting = nil
	windows.CloseHandle(l.wake)
	return nil
}
