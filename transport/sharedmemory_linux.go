package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sharedMemory is memory for the rings of one connection. The listening side
// makes it, and seals it: nobody can make it smaller, by which whoever reads
// it would be killed.
type sharedMemory struct {
	fd    int // -1: closed
	bytes []byte
}

const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

func newSharedMemory() (*sharedMemory, error) {
	fd, err := unix.MemfdCreate("ekko-ipc", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("ekko-ipc", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return nil, fmt.Errorf("%w: this system gives no shared memory (memfd_create: %w); use unix: instead", ErrUnsupported, err)
	case err != nil:
		return nil, os.NewSyscallError("memfd_create", err)
	}
	m := &sharedMemory{fd: fd}
	if err := m.prepare(); err != nil {
		m.drop()
		return nil, err
	}
	return m, nil
}

func (m *sharedMemory) prepare() error {
	if err := ignoringEINTR(func() error { return unix.Ftruncate(m.fd, sharedSize) }); err != nil {
		return os.NewSyscallError("ftruncate", err)
	}
	if _, err := unix.FcntlInt(uintptr(m.fd), unix.F_ADD_SEALS, seals); err != nil {
		return os.NewSyscallError("fcntl F_ADD_SEALS", err)
	}
	return m.open()
}

func (m *sharedMemory) open() (err error) {
	m.bytes, err = unix.Mmap(m.fd, 0, sharedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return os.NewSyscallError("mmap", err)
}

// closeFile leaves the memory in place.
func (m *sharedMemory) closeFile() {
	if m.fd >= 0 {
		unix.Close(m.fd)
		m.fd = -1
	}
}

func (m *sharedMemory) drop() {
	m.closeFile()
	if m.bytes != nil {
		unix.Munmap(m.bytes)
		m.bytes = nil
	}
}

// greeting goes with the memory, and names what lies where in it.
const greeting = "ekko-shm 1\n"

// handOver gives the memory to the client, whose socket is empty: this does
// not wait.
func (m *sharedMemory) handOver(c *net.UnixConn) error {
	rc, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = rc.Control(func(fd uintptr) {
		sent = unix.Sendmsg(int(fd), []byte(greeting), unix.UnixRights(m.fd), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	})
	m.closeFile()
	return errors.Join(err, os.NewSyscallError("sendmsg", sent))
}

// receiveMemory waits for the memory that the server hands over.
func receiveMemory(ctx context.Context, c *net.UnixConn) (*sharedMemory, error) {
	stop := context.AfterFunc(ctx, func() { c.SetReadDeadline(longAgo) })
	fd, err := receiveFile(c)
	if !stop() && err == nil {
		unix.Close(fd)
		err = os.ErrDeadlineExceeded
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("connected, but the service handed over no memory: %w", context.Cause(ctx))
	case err != nil:
		return nil, err
	}
	m := &sharedMemory{fd: fd}
	if err = checkMemory(fd); err == nil {
		err = m.open()
	}
	m.closeFile()
	if err != nil {
		return nil, err
	}
	return m, nil
}

// receiveFile receives the greeting and the one file that comes with it.
func receiveFile(c *net.UnixConn) (int, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var g greeted
	g.file = -1
	if err := rc.Read(g.receive); err != nil && g.err == nil {
		g.err = err
	}
	if g.err == nil && g.file < 0 {
		g.err = errors.New("the service's greeting came without memory")
	}
	if g.err != nil && g.file >= 0 {
		unix.Close(g.file)
	}
	return g.file, g.err
}

// greeted is how much of the greeting has come.
type greeted struct {
	text []byte
	file int // -1: none yet
	err  error
}

// receive is to be called again when something has come if it returns false.
func (g *greeted) receive(fd uintptr) bool {
	for len(g.text) < len(greeting) {
		text := make([]byte, len(greeting)-len(g.text))
		rights := make([]byte, unix.CmsgLen(4)) // has room for one
		n, oobn, flags, _, err := unix.Recvmsg(int(fd), text, rights, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN:
			return false
		case err == unix.EINTR:
			continue
		case err != nil:
			g.err = os.NewSyscallError("recvmsg", err)
			return true
		}
		if g.err = g.take(rights[:oobn], flags); g.err != nil {
			return true
		}
		if n == 0 {
			g.err = fmt.Errorf("the service hung up before it handed over memory: %w", io.ErrUnexpectedEOF)
			return true
		}
		if g.text = append(g.text, text[:n]...); string(g.text) != greeting[:len(g.text)] {
			g.err = fmt.Errorf("the service greets with %q instead of %q: it speaks another version, or is none for shared memory; use unix: to reach it", g.text, greeting)
			return true
		}
	}
	return true
}

var errStrangeFiles = errors.New("the service sent other files than one for memory")

// take keeps the first file that comes and closes all others: one is right.
func (g *greeted) take(rights []byte, flags int) error {
	var err error
	if flags&unix.MSG_CTRUNC != 0 {
		err = errStrangeFiles
	}
	messages, bad := syscall.ParseSocketControlMessage(rights)
	if bad != nil {
		err = bad
	}
	for _, m := range messages {
		files, bad := syscall.ParseUnixRights(&m)
		if bad != nil {
			err = errStrangeFiles
		}
		for _, fd := range files {
			if g.file < 0 && err == nil {
				g.file = fd
				continue
			}
			unix.Close(fd)
			err = errStrangeFiles
		}
	}
	return err
}

// checkMemory makes sure that a file is memory of the right size that stays so.
func checkMemory(fd int) error {
	var st unix.Stat_t
	var fs unix.Statfs_t
	has, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	switch {
	case err != nil || has&seals != seals:
		return errors.New("the service's memory is not sealed: it could be taken away while in use")
	case unix.Fstatfs(fd, &fs) != nil || fs.Type != unix.TMPFS_MAGIC:
		return errors.New("the service's memory is of a strange kind")
	case unix.Fstat(fd, &st) != nil || st.Size != sharedSize:
		return fmt.Errorf("the service's memory has %d bytes instead of %d", st.Size, sharedSize)
	}
	return nil
}
