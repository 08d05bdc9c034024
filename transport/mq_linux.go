package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A service that is reached by POSIX message queues reads one that all its
// clients know. A client makes two of its own, leaves word of them there, and
// speaks through them when the service has come:
//
//	ekko-1000-db             read by the service, written to by whoever comes
//	ekko-1000-db~0u          from the client in place 0 to the service
//	ekko-1000-db~0d          from the service to that client
//
// The names of the two are gone before the first frame. Queues cannot be
// listed unless somebody mounted their file system, so the names of the few
// places are all known: that is how those are found which a killed process
// left.
//
// A queue outlives whoever used it, and says nothing of them. So whoever reads
// one holds a lock on it, which is gone when he is. The names of a pair are
// taken away by nobody but who holds the lock of its second queue: the service
// that has come beside its client, or somebody else when neither holds it.

// How large queues are. Ten messages and 8,192 bytes a message are what a
// system allows unless somebody has changed that; all queues of a user
// together may take 819,200 bytes (RLIMIT_MSGQUEUE), in which so small ones
// are enough for 18 connections.
const (
	mqDepth   = 10
	mqMessage = 2048
	mqPlaces  = 64 // clients that are to be met at the same time
)

// mqShape is what the queues of a pair are to be like.
func mqShape() (*mqAttr, error) {
	a := &mqAttr{depth: mqWithin(mqDepth, "msg_max"), message: mqWithin(mqMessage, "msgsize_max")}
	if a.depth < mqLeastDepth {
		return nil, fmt.Errorf("transport: message queues of this system hold %d message, and it takes %d: raise that by sysctl fs.mqueue.msg_max", a.depth, mqLeastDepth)
	}
	return a, nil
}

// mqAttr is how the kernel describes a queue.
type mqAttr struct {
	flags, depth, message, waiting int // in messages, but message in bytes
	_                              [4]int
}

// mqName is the system's name of a queue; it has no slash for the kernel.
func mqName(name string) string { return fmt.Sprintf("ekko-%d-%s", os.Geteuid(), name) }

// mqPair is where a client and the service meet.
type mqPair struct{ up, down string }

func mqPairOf(name string, place uint8) mqPair {
	at := mqName(name) + "~" + strconv.Itoa(int(place))
	return mqPair{at + "u", at + "d"}
}

// remove takes the names away, that of the queue whose lock tells of its
// client's life last.
func (p mqPair) remove() {
	mqUnlink(p.up)
	mqUnlink(p.down)
}

// mqOpen opens a queue of this user that nobody else can open, or makes one
// if there are attributes.
func mqOpen(name string, mode int, a *mqAttr) (int, error) {
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	if a != nil {
		mode |= unix.O_CREAT | unix.O_EXCL
	}
	var fd uintptr
	err = ignoringEINTR(func() error {
		var errno syscall.Errno
		fd, _, errno = unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(text)),
			uintptr(mode|unix.O_NONBLOCK|unix.O_CLOEXEC), 0o600, uintptr(unsafe.Pointer(a)), 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return -1, mqError(name, err)
	}
	if a != nil { // a umask may have denied its owner the mode
		err = unix.Fchmod(int(fd), 0o600)
	}
	if err == nil {
		err = mqCheck(int(fd), name)
	}
	if err != nil {
		unix.Close(int(fd))
		return -1, err
	}
	return int(fd), nil
}

// mqCheck asks the kernel about what was opened. Whoever is at the other end
// has opened it too, which takes its owner or root.
func mqCheck(fd int, name string) error {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	switch {
	case err != nil:
		return fmt.Errorf("transport: fstat of the queue /%s: %w", name, err)
	case st.Uid != uint32(os.Geteuid()):
		return fmt.Errorf("%w: the queue /%s belongs to user %d", ErrUntrustedPath, name, st.Uid)
	case st.Mode&0o077 != 0:
		return fmt.Errorf("%w: the queue /%s is open to others (mode %04o, want 0600)", ErrUntrustedPath, name, st.Mode&0o777)
	}
	return nil
}

// mqError says what to do about the limits that there are for queues.
func mqError(name string, err error) error {
	const what = "transport: the queue /%s: "
	switch {
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: this kernel is made without POSIX message queues; unix: is there", ErrUnsupported)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: the queue /%s is another user's: %v", ErrUntrustedPath, name, err)
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf(what+"this system has its %s queues: raise that by sysctl fs.mqueue.queues_max: %w", name, mqLimit("queues_max"), err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf(what+"one of %d messages of %d bytes is refused: raise the limits by sysctl fs.mqueue.msg_max (now %s) and fs.mqueue.msgsize_max (now %s): %w",
			name, mqDepth, mqMessage, mqLimit("msg_max"), mqLimit("msgsize_max"), err)
	case errors.Is(err, unix.EMFILE) && descriptorsLeft():
		var limit unix.Rlimit
		unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &limit)
		return fmt.Errorf(what+"the queues of user %d take all of RLIMIT_MSGQUEUE, %d bytes, of which a connection needs %d: raise it by ulimit -q or LimitMSGQUEUE=: %w",
			name, os.Geteuid(), limit.Cur, 2*mqCost(mqMessage), errMQQuota)
	}
	return fmt.Errorf(what+"%w", name, err)
}

// errMQQuota is EMFILE for another reason than descriptors, so waiting for
// some to be closed is no help.
var errMQQuota = errors.New("no room for another queue")

// mqCost is about what the kernel counts for a queue.
func mqCost(message int) int { return mqDepth * (message + 100) }

// mqLimit returns one of the system's limits.
func mqLimit(name string) string {
	text, err := os.ReadFile("/proc/sys/fs/mqueue/" + name)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// mqWithin is a number as far as one of the system's limits allows.
func mqWithin(want int, limit string) int {
	if n, err := strconv.Atoi(mqLimit(limit)); err == nil {
		return min(want, n)
	}
	return want
}

// descriptorsLeft reports whether the process may open one more.
func descriptorsLeft() bool {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

func mqUnlink(name string) error {
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(text)), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func mqAttributes(fd int) (a mqAttr, err error) {
	_, _, errno := unix.RawSyscall(unix.SYS_MQ_GETSETATTR, uintptr(fd), 0, uintptr(unsafe.Pointer(&a)))
	if errno != 0 {
		err = errno
	}
	return a, err
}

// mqSend and mqReceive never wait, as the descriptors are non-blocking.

func mqSend(fd uintptr, p []byte) syscall.Errno {
	mqSending()
	_, _, errno := unix.RawSyscall6(unix.SYS_MQ_TIMEDSEND, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	return errno
}

func mqReceive(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_MQ_TIMEDRECEIVE, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	mqReceived()
	return int(n), 0
}

// The locks on a queue: the first byte's is held by whoever reads it, and the
// second's by the process that writes to it, so that the kernel can name it.
const (
	mqReader = 0
	mqWriter = 1
)

// mqLock takes a lock without waiting.
func mqLock(fd, command int, kind int16, at int64) error {
	l := unix.Flock_t{Type: kind, Start: at, Len: 1}
	return unix.FcntlFlock(uintptr(fd), command, &l)
}

// mqRead reports whether somebody reads the queue, other than by fd.
func mqRead(fd uintptr) bool {
	l := unix.Flock_t{Type: unix.F_WRLCK, Start: mqReader, Len: 1}
	return unix.FcntlFlock(fd, unix.F_OFD_GETLK, &l) == nil && l.Type != unix.F_UNLCK
}

// mqWritten returns the number of the process that writes to the queue: the
// kernel's word. Only of itself a process is not told, so there the peer's own
// word has to do.
func mqWritten(fd int, told int32) (int32, error) {
	l := unix.Flock_t{Type: unix.F_WRLCK, Start: mqWriter, Len: 1}
	switch err := unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &l); {
	case err != nil:
		return 0, fmt.Errorf("transport: asking for the peer's process: %w", err)
	case l.Type == unix.F_UNLCK && told == int32(os.Getpid()):
		return told, nil
	case l.Type == unix.F_UNLCK:
		return 0, errNoClient
	case l.Pid <= 0:
		return 0, fmt.Errorf("%w: a peer by message queues in another process namespace; unix: is there", ErrUnsupported)
	}
	return l.Pid, nil
}

// mqInode tells queues apart that have the same name one after another.
func mqInode(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}

// mqNamed returns nil if the name is that of the queue that fd is open for, and
// errUnnamed if it is another's or nobody's.
func mqNamed(fd int, name string) error {
	again, err := mqOpen(name, unix.O_RDONLY, nil)
	switch {
	case errors.Is(err, unix.ENOENT):
		return errUnnamed
	case err != nil:
		return err
	}
	defer unix.Close(again)
	if mqInode(again) != mqInode(fd) {
		return errUnnamed
	}
	return nil
}

var errUnnamed = errors.New("transport: the queue has lost its name")

// mqWord is what a client leaves: where it is, which queue it made there to
// be written to, and its process.
func mqWord(place uint8, inode uint64, pid int32) []byte {
	word := append([]byte(mqGreeting), place)
	word = binary.LittleEndian.AppendUint64(word, inode)
	return binary.LittleEndian.AppendUint32(word, uint32(pid))
}

const (
	mqGreeting = "ekko-mq 1 "
	mqWordLen  = len(mqGreeting) + 1 + 8 + mqAnswerLen
)

func mqUnderstand(word []byte) (place uint8, inode uint64, pid int32, ok bool) {
	if len(word) != mqWordLen || string(word[:len(mqGreeting)]) != mqGreeting {
		return 0, 0, 0, false
	}
	word = word[len(mqGreeting):]
	return word[0], binary.LittleEndian.Uint64(word[1:]), int32(binary.LittleEndian.Uint32(word[9:])), word[0] < mqPlaces
}

// mqAnswer is what the service sends first: its process.
func mqAnswer(pid int32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(pid)) }

const mqAnswerLen = 4
