package transport

import (
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

func (s mqStream) below() *polled { return s.polled }

// QueuesForTest returns the names of queues that there are for an address.
func QueuesForTest(name string) (there []string) {
	names := []string{mqName(name)}
	for place := range mqPlaces {
		p := mqPairOf(name, uint8(place))
		names = append(names, p.up, p.down)
	}
	for _, n := range names {
		fd, err := mqOpen(n, unix.O_RDONLY, nil)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err == nil {
			unix.Close(fd)
		}
		there = append(there, n)
	}
	return there
}

// MakeQueueForTest makes a queue as any program may.
func MakeQueueForTest(name string, mode uint32, messages, size int) (fd int, err error) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(text)), unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|unix.O_CLOEXEC,
		uintptr(mode), uintptr(unsafe.Pointer(&mqAttr{depth: messages, message: size})), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// RemoveQueueForTest removes one.
func RemoveQueueForTest(name string) error { return mqUnlink(name) }

// SayForTest puts a message into the queue that clients of a name knock at.
func SayForTest(name string, word []byte) error {
	fd, err := mqOpen(mqName(name), unix.O_WRONLY, nil)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		if errno := mqSend(uintptr(fd), word); errno == 0 {
			return nil
		} else if errno != unix.EAGAIN {
			return errno
		}
		runtime.Gosched()
	}
}

// MQWordForTest is what a client says.
var MQWordForTest = mqWord

// MQErrorForTest explains an error of a queue.
var MQErrorForTest = mqError
