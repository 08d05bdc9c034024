package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// mqVisitor is a client that waits for the service at a pair of its own.
type mqVisitor struct {
	door    int // the queue that all clients write to
	word    []byte
	pair    mqPair
	in, out mqEnd
	service int32 // the process in which it says it is
}

func dialMQ(ctx context.Context, name string, o *Options) (Conn, error) {
	if !o.trusts(uint32(os.Geteuid())) {
		return nil, fmt.Errorf("%w: mq:%s is served by user %d", ErrUntrustedPeer, name, os.Geteuid())
	}
	door, err := mqOpen(mqName(name), unix.O_WRONLY, nil)
	if err != nil {
		return nil, err
	}
	defer unix.Close(door)
	v := &mqVisitor{door: door}
	if !v.served() {
		return nil, fmt.Errorf("%w: mq:%s", ErrRefused, name)
	}
	if err := v.takePlace(name); err != nil {
		return nil, err
	}
	if err := letIn(ctx, SchemeMQ+":"+name, v); err != nil {
		v.leave()
		return nil, err
	}
	c, err := newMQ(v.in, v.out, v.service, o, o.dialFraming())
	if err != nil {
		v.leave()
		if errors.Is(err, errNoClient) { // it was killed in between
			err = fmt.Errorf("%w: mq:%s", ErrRefused, name)
		}
		return nil, err
	}
	return c, nil
}

// takePlace makes a pair in the first place where there is none.
func (v *mqVisitor) takePlace(name string) error {
	shape, err := mqShape()
	if err != nil {
		return err
	}
	for place := range mqPlaces {
		v.pair = mqPairOf(name, uint8(place))
		if !removeDeadPair(v.pair) {
			continue
		}
		in, err := v.takeDown(shape)
		switch {
		case errors.Is(err, unix.EEXIST), errors.Is(err, errPlaceLost):
			continue
		case err != nil:
			return err
		}
		out, err := v.takeUp(shape)
		if err != nil {
			v.pair.abandon(in)
			unix.Close(in)
			return err
		}
		v.word = mqWord(uint8(place), mqInode(out), int32(os.Getpid()))
		if v.in, v.out, err = newMQPair(in, out); err != nil {
			removeDeadPair(v.pair)
		}
		return err
	}
	return fmt.Errorf("%w: mq:%s: %d clients wait to be let in, which is as many as may", ErrRefused, name, mqPlaces)
}

// errPlaceLost: somebody looked whether the place was a dead client's before
// it was locked.
var errPlaceLost = errors.New("transport: place lost")

// takeDown makes the queue whose lock shows that its client lives.
func (v *mqVisitor) takeDown(shape *mqAttr) (int, error) {
	fd, err := mqOpen(v.pair.down, unix.O_RDONLY, shape)
	if err != nil {
		return -1, err
	}
	if mqLock(fd, unix.F_OFD_SETLK, unix.F_RDLCK, mqReader) != nil {
		err = errPlaceLost
	} else if err = mqNamed(fd, v.pair.down); errors.Is(err, errUnnamed) {
		err = errPlaceLost
	}
	if err != nil {
		v.pair.abandon(fd)
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (v *mqVisitor) takeUp(shape *mqAttr) (int, error) {
	fd, err := mqOpen(v.pair.up, unix.O_WRONLY, shape)
	if err != nil {
		return -1, err
	}
	if err := mqLock(fd, unix.F_SETLK, unix.F_WRLCK, mqWriter); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("transport: locking the queue /%s: %w", v.pair.up, err)
	}
	return fd, nil
}

func (v *mqVisitor) knock() error {
	if !v.served() {
		return unix.EPIPE
	}
	if errno := mqSend(uintptr(v.door), v.word); errno != 0 {
		return errno
	}
	return nil
}

func (v *mqVisitor) answered(until time.Time) error {
	v.in.set.SetReadDeadline(until)
	answer, err := receiveWord(v.in)
	switch {
	case err != nil:
		return err
	case len(answer) != mqAnswerLen:
		return errTurnedAway
	}
	v.service = int32(binary.LittleEndian.Uint32(answer))
	return v.in.set.SetReadDeadline(time.Time{})
}

var errTurnedAway = errors.New("it turned this client away")

// served: a queue that nobody reads is not locked.
func (v *mqVisitor) served() bool { return mqRead(uintptr(v.door)) }

// leave takes the pair away. A service that has come after all, or is about
// to, does that itself, and finds that this client has ended.
func (v *mqVisitor) leave() {
	v.out.sayEnd()
	v.pair.abandon(v.in.fd)
	v.in.Close()
	v.out.Close()
}

// abandon lets go of the lock first. From then on the place may be another
// client's, so its names are treated as those of any dead one.
func (p mqPair) abandon(down int) {
	mqLock(down, unix.F_OFD_SETLK, unix.F_UNLCK, mqReader)
	removeDeadPair(p)
}
