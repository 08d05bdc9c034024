package hub

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

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
	data  int32  // the length of its data
	paid  bool   // it has its room with the receiver already
	bytes []byte // header and message
	sheet *sheet // that it stands on; nil if it stands alone
}

// encoder makes the frames of a hub.
type encoder struct {
	clock   *clock
	scratch sync.Pool // of *scratch
}

// scratch is what making a frame needs for a moment.
type scratch struct {
	stamper             wire.Stamper
	id, stamp, metadata []byte
	frame               []byte
	message             wire.Message
}

func newEncoder(c *clock) *encoder {
	e := &encoder{clock: c}
	e.scratch.New = func() any { return new(scratch) }
	return e
}

// message is one event about to become a frame.
type message struct {
	channel     []byte
	stream      []byte // nil: the stream's name is the event's own
	epoch       []byte
	seq         uint64 // 0: it has none of its own
	id          string // empty: a new one
	time        int64  // in milliseconds since 1970
	data        []byte
	tag         []byte // id of the subscription it is for; nil: of any
	gap         *wire.Gap
	snapshot    bool
	redelivered bool
	deliveries  int
}

// frame returns m as a frame, in a slice of its own that is no longer than it
// must be: it may wait in a queue.
func (e *encoder) frame(m *message) []byte {
	sc := e.scratch.Get().(*scratch)
	defer e.scratch.Put(sc)
	sc.frame = sc.append(sc.frame[:0], m)
	bytes := slices.Clone(sc.frame)
	if cap(sc.frame) > 64<<10 {
		sc.frame = nil
	}
	return bytes
}

// append appends m to dst as a frame.
func (e *encoder) append(dst []byte, m *message) []byte {
	sc := e.scratch.Get().(*scratch)
	defer e.scratch.Put(sc)
	return sc.append(dst, m)
}

func (sc *scratch) append(dst []byte, m *message) []byte {
	if m.id == "" {
		sc.id = wire.AppendUUID(sc.id[:0], rand.Uint64(), rand.Uint64())
	} else {
		sc.id = append(sc.id[:0], m.id...)
	}
	sc.stamp = sc.stamper.Append(sc.stamp[:0], m.time)
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if m.isOrdinary() {
		dst = sc.ordinary(dst, m)
	} else {
		dst = sc.any(dst, m)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-headerSize))
	return dst
}

// isOrdinary reports whether m is an event like most: new, with data, and
// with a name and an epoch that are written as they are.
func (m *message) isOrdinary() bool {
	return m.id == "" && m.data != nil && m.stream == nil && m.tag == nil && m.gap == nil && m.seq != 0 &&
		!m.snapshot && !m.redelivered && m.deliveries == 0
}

// ordinary is any for such a message. The name has been checked, and the
// epoch is the hub's.
func (sc *scratch) ordinary(dst []byte, m *message) []byte {
	dst = append(dst, `{"type":"event","messageId":"`...)
	dst = append(dst, sc.id...)
	dst = append(dst, `","channel":"`...)
	dst = append(dst, m.channel...)
	dst = append(dst, `","data":`...)
	dst = append(dst, m.data...)
	dst = append(dst, `,"timestamp":"`...)
	dst = append(dst, sc.stamp...)
	dst = append(dst, `","metadata":{"epoch":"`...)
	dst = append(dst, m.epoch...)
	dst = append(dst, `","seq":`...)
	dst = strconv.AppendUint(dst, m.seq, 10)
	return append(dst, `}}`...)
}

func (sc *scratch) any(dst []byte, m *message) []byte {
	md := wire.Metadata{
		Subscription: m.tag,
		Stream:       m.stream,
		Epoch:        m.epoch,
		Seq:          m.seq,
		HasSeq:       m.seq != 0,
		Gap:          m.gap,
		Snapshot:     m.snapshot,
		Redelivered:  m.redelivered,
		Deliveries:   int64(m.deliveries),
	}
	sc.metadata = md.Append(sc.metadata[:0])
	sc.message = wire.Message{
		Type:      wire.TypeEvent,
		MessageID: sc.id,
		Channel:   m.channel,
		Data:      m.data,
		Timestamp: sc.stamp,
		Metadata:  sc.metadata,
	}
	dst = sc.message.Append(dst)
	sc.message = wire.Message{} // the data is the publisher's
	return dst
}

// gapMessage is the notice that n of the events of t between two places were
// lost. It has no data and no sequence number of its own.
func (e *encoder) gapMessage(t *topic, g *wire.Gap, tag []byte) *message {
	return &message{channel: t.channel, stream: t.streamName(), epoch: t.stream.inFrames, gap: g, tag: tag, time: e.clock.milli()}
}

// appendTagged appends a frame that all subscribers share, with the id of the
// one subscription it goes to. A frame ends with its metadata, which is never
// empty.
func appendTagged(dst, frame, tag []byte) []byte {
	if tag == nil {
		return append(dst, frame...)
	}
	const end = "}}"
	start := len(dst)
	dst = append(dst, frame[:len(frame)-len(end)]...)
	dst = append(dst, `,"subscription":"`...)
	dst = append(dst, tag...)
	dst = append(dst, `"`+end...)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-headerSize))
	return dst
}

// farewell returns the frame that says that a subscription has ended.
func (e *encoder) farewell(id string, why error) []byte {
	coded, ok := errors.AsType[*wire.Error](why)
	if !ok {
		coded = wire.Errorf(wire.CodeOf(why), "%w", why)
	}
	told := *coded
	told.Details.Origin = wire.OriginService
	m := wire.Message{Type: wire.TypeResponse, MessageID: []byte(wire.NewUUID()), CorrelationID: []byte(id), Error: told.AppendJSON(nil)}
	frame := m.Append(make([]byte, headerSize))
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-headerSize))
	return frame
}
