package transport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// mqListener reads the queue of its name, which it holds the lock of: the
// kernel gives that back when the process dies, however it dies.
type mqListener struct {
	name      string
	doorway   *mqDoorway
	reception *reception
	vacating  sync.Once
	closing   sync.Once
	closed    error
}

func listenMQ(_ context.Context, name string, o *Options) (Listener, error) {
	fd, err := takeQueue(name)
	if err != nil {
		return nil, err
	}
	for place := range mqPlaces {
		removeDeadPair(mqPairOf(name, uint8(place)))
	}
	queue, err := newMQEnd(fd, true)
	if err != nil {
		mqUnlink(mqName(name))
		return nil, err
	}
	d := &mqDoorway{name: name, options: o, queue: queue}
	return &mqListener{name: name, doorway: d, reception: newReception(d)}, nil
}

// takeQueue makes the queue of that name, or takes over one that a dead
// process left, with what clients who still wait said in it.
func takeQueue(name string) (int, error) {
	shape := &mqAttr{depth: mqWithin(mqDepth, "msg_max"), message: mqWordLen}
	queue := mqName(name)
	for {
		fd, err := mqOpen(queue, unix.O_RDWR, shape)
		if errors.Is(err, unix.EEXIST) {
			fd, err = mqOpen(queue, unix.O_RDWR, nil)
		}
		switch {
		case errors.Is(err, unix.ENOENT):
			continue // its holder ended in between
		case err != nil:
			return -1, err
		}
		if err := mqLock(fd, unix.F_OFD_SETLK, unix.F_WRLCK, mqReader); err != nil {
			unix.Close(fd)
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
				return -1, fmt.Errorf("%w: another process reads the queue /%s", ErrAddressInUse, queue)
			}
			return -1, fmt.Errorf("transport: locking the queue /%s: %w", queue, err)
		}
		if err = mqNamed(fd, queue); err == nil {
			a, err := mqAttributes(fd)
			if err == nil && a.message == shape.message {
				return fd, nil
			}
			mqUnlink(queue) // made by a program that does otherwise
		}
		unix.Close(fd)
		if err != nil && !errors.Is(err, errUnnamed) {
			return -1, err
		}
	}
}

// removeDeadPair removes what a client left in a place whom nobody will meet:
// he was killed before, or has given up. It reports whether the place is free
// now. Names that a living client may have, or that a service is about to take
// away, are left alone: both hold the lock.
func removeDeadPair(p mqPair) bool {
	fd, err := mqOpen(p.down, unix.O_RDWR, nil)
	if err != nil {
		return errors.Is(err, unix.ENOENT)
	}
	defer unix.Close(fd)
	if mqLock(fd, unix.F_OFD_SETLK, unix.F_WRLCK, mqReader) != nil {
		return false // he lives
	}
	switch err := mqNamed(fd, p.down); {
	case err == nil:
		p.remove()
	case !errors.Is(err, errUnnamed):
		return false
	}
	return true
}

func (l *mqListener) Accept() (Conn, error) { return l.reception.next() }

func (l *mqListener) Addr() string { return SchemeMQ + ":" + l.name }

// Retire takes the queue's name away, so that nobody new finds it, and leaves
// the address to whoever wants to serve it next.
func (l *mqListener) Retire() {
	l.vacate()
	l.reception.retire()
}

// vacate removes the name of the queue, if it is still this one's.
func (l *mqListener) vacate() {
	l.vacating.Do(func() {
		withDescriptor(l.doorway.queue.set, func(uintptr) {
			if mqNamed(l.doorway.queue.fd, mqName(l.name)) == nil {
				mqUnlink(mqName(l.name))
			}
		})
	})
}

func (l *mqListener) Close() error {
	l.closing.Do(func() {
		l.vacate()
		l.closed = l.reception.stop()
	})
	return l.closed
}

// mqDoorway reads the words of clients from the queue that all know.
type mqDoorway struct {
	name    string
	options *Options
	queue   mqEnd
	closing sync.Once
	closed  error
}

func (d *mqDoorway) hear() ([]byte, error) { return receiveWord(d.queue) }

func (d *mqDoorway) hearUntil(t time.Time) { d.queue.set.SetReadDeadline(t) }

// meet opens the pair of a client.
func (d *mqDoorway) meet(word []byte) (Conn, error) {
	place, inode, pid, ok := mqUnderstand(word)
	if !ok {
		return nil, errNoClient
	}
	pair := mqPairOf(d.name, place)
	out, err := pair.hold()
	if err != nil {
		return nil, err
	}
	in, err := mqOpen(pair.up, unix.O_RDONLY, nil)
	if err == nil && mqInode(in) != inode { // the word is of one who was here before
		unix.Close(in)
		err = errNoClient
	}
	if err != nil {
		unix.Close(out)
		removeDeadPair(pair)
		return nil, err
	}
	c, err := d.join(in, out, pid)
	if err != nil {
		removeDeadPair(pair) // its client may have given up meanwhile
		return nil, err
	}
	pair.remove()
	mqLock(out, unix.F_OFD_SETLK, unix.F_UNLCK, mqReader)
	mqSend(uintptr(out), mqAnswer(int32(os.Getpid())))
	return c, nil
}

// hold opens the queue that a client reads, with a lock by which the pair stays
// what it is: without that the client might give up, and another one take the
// place, before the second queue is opened, or before the names are removed.
func (p mqPair) hold() (int, error) {
	fd, err := mqOpen(p.down, unix.O_RDWR, nil)
	if err != nil {
		return -1, err
	}
	if mqLock(fd, unix.F_OFD_SETLK, unix.F_RDLCK, mqReader) != nil {
		err = errNoClient
	} else if err = mqNamed(fd, p.down); errors.Is(err, errUnnamed) {
		err = errNoClient
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// join makes the service's end of a connection, and owns the descriptors.
func (d *mqDoorway) join(in, out int, pid int32) (Conn, error) {
	read, written, err := newMQPair(in, out)
	if err != nil {
		return nil, err
	}
	if err = mqLock(in, unix.F_OFD_SETLK, unix.F_RDLCK, mqReader); err == nil {
		err = mqLock(out, unix.F_SETLK, unix.F_WRLCK, mqWriter)
	}
	var c Conn
	if err == nil {
		c, err = newMQ(read, written, pid, d.options, d.options.listenFraming())
	}
	if err != nil {
		if !passing(err) {
			written.sayEnd() // he need not wait
		}
		read.Close()
		written.Close()
		return nil, err
	}
	return c, nil
}

func (d *mqDoorway) Close() error {
	d.closing.Do(func() { d.closed = d.queue.Close() })
	return d.closed
}
