package hub

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// headerSize is the length of a frame's header: the size of what follows, as
// an unsigned 32-bit little-endian number.
const headerSize = 4

// frame is one event as it goes over the wire. All subscribers share it, so
// nobody may write to it.
type frame struct {
	topic *topic
	seq   uint64
	bytes []byte // header and message
}

// encoder makes the frames of a hub.
type encoder struct {
	now     func() time.Time
	scratch sync.Pool // of *scratch
}

// scratch is what making a frame needs for a moment.
type scratch struct {
	stamper             wire.Stamper
	id, stamp, metadata []byte
	frame               []byte
	message             wire.Message
}

func newEncoder(now func() time.Time) *encoder {
	e := &encoder{now: now}
	e.scratch.New = func() any { return new(scratch) }
	return e
}

// event returns the frame of an event of t, in a slice of its own that is no
// longer than it must be: it may wait in a queue.
func (e *encoder) event(t *topic, seq uint64, data []byte) []byte {
	sc := e.scratch.Get().(*scratch)
	defer e.scratch.Put(sc)
	md := wire.Metadata{Seq: seq, HasSeq: true, Epoch: t.epoch}
	sc.frame = e.append(sc, sc.frame[:0], t, &md, data)
	bytes := slices.Clone(sc.frame)
	if cap(sc.frame) > 64<<10 {
		sc.frame = nil
	}
	return bytes
}

// appendGap appends the frame that says that the events of t from from to to
// were lost. It has no data and no sequence number of its own.
func (e *encoder) appendGap(dst []byte, t *topic, from, to uint64) []byte {
	sc := e.scratch.Get().(*scratch)
	defer e.scratch.Put(sc)
	gap := wire.Gap{From: from, To: to, Reason: GapSlowConsumer}
	md := wire.Metadata{Epoch: t.epoch, Gap: &gap}
	return e.append(sc, dst, t, &md, nil)
}

// append appends one frame of an event of t to dst.
func (e *encoder) append(sc *scratch, dst []byte, t *topic, md *wire.Metadata, data []byte) []byte {
	sc.id = wire.AppendUUID(sc.id[:0], rand.Uint64(), rand.Uint64())
	sc.stamp = sc.stamper.Append(sc.stamp[:0], e.now().UnixMilli())
	sc.metadata = md.Append(sc.metadata[:0])
	sc.message = wire.Message{
		Type:      wire.TypeEvent,
		MessageID: sc.id,
		Channel:   t.channel,
		Data:      data,
		Timestamp: sc.stamp,
		Metadata:  sc.metadata,
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = sc.message.Append(dst)
	sc.message.Data = nil // it is the publisher's
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-headerSize))
	return dst
}
