package session

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/ekkojs/ipc/internal/spare"
	"github.com/ekkojs/ipc/wire"
)

const (
	// textRoom is what a Text has before its JSON: enough for the head of
	// any message, whose channel and action are names of 255 bytes at most.
	textRoom = 704

	// LongText is the length from which a message is made around its text
	// instead of being copied into the outbox with others.
	LongText = 8 << 10
)

// Text is JSON on its way into a message, as arguments or a result. It has
// room for the rest of the message around it, so that a long one is written
// to the connection from where it was encoded.
type Text struct {
	buf  []byte // textRoom bytes, then the JSON
	refs atomic.Int32
	out  buffer // itself, in the outbox
}

// texts are those that are short; the memory of long ones is kept apart, so
// that it is not held for short ones.
var texts = sync.Pool{New: func() any { return &Text{buf: make([]byte, textRoom, 2*textRoom)} }}

// keptText is the longest in texts.
const keptText = 64 << 10

// NewText returns an empty text with room for about size bytes. Whoever has
// it releases it once.
func NewText(size int) *Text {
	var t *Text
	if size > keptText {
		t = &Text{buf: spare.Take(textRoom + size + size/16)}
	} else {
		t = texts.Get().(*Text)
	}
	t.buf = t.buf[:textRoom]
	t.refs.Store(1)
	return t
}

// JSON returns the text.
func (t *Text) JSON() []byte { return t.buf[textRoom:] }

// Set makes the text what f appends to the empty slice it is given, which may
// be in another place by then.
func (t *Text) Set(f func(dst []byte) ([]byte, error)) error {
	buf, err := f(t.buf[:textRoom])
	if err != nil {
		return err
	}
	t.buf = buf
	return nil
}

// Release ends the use of the text by whoever calls it.
func (t *Text) Release() {
	if t.refs.Add(-1) > 0 {
		return
	}
	if cap(t.buf) <= keptText {
		texts.Put(t)
		return
	}
	spare.Give(t.buf)
}

// appendTextLocked is appendLocked for a message whose data is t. A long text
// becomes a frame where it is, and is kept until it is written; one that is
// part of a frame already is copied.
func (s *Session) appendTextLocked(m *wire.Message, t *Text) (end uint64, err *wire.Error) {
	if t == nil {
		return s.appendLocked(m)
	}
	m.Data = t.JSON()
	if len(m.Data) < LongText || !t.refs.CompareAndSwap(1, 2) {
		return s.appendLocked(m)
	}
	frame, ok := t.frame(m, s.opts.MaxFrame)
	if !ok {
		t.refs.Add(-1)
		return s.appendLocked(m)
	}
	o := &s.outbox
	if err := s.unwritableLocked(); err != nil {
		t.refs.Add(-1)
		return 0, err
	}
	if o.buf != nil {
		o.full = append(o.full, o.buf)
		o.buf = nil
	}
	t.out = buffer{b: frame, text: t}
	o.full = append(o.full, &t.out)
	o.appended += uint64(len(frame))
	return o.appended, nil
}

// frame makes m, whose data t is, around the data. It is not ok if that is no
// frame or there is no room.
func (t *Text) frame(m *wire.Message, limit int) (frame []byte, ok bool) {
	var room [textRoom]byte
	before := wire.Message{Type: m.Type, MessageID: m.MessageID, Channel: m.Channel, Action: m.Action}
	head := before.Append(room[:0])
	head = append(head[:len(head)-1], `,"data":`...) // in the place of the brace
	if frameHeader+len(head) > textRoom {
		return nil, false
	}
	after := wire.Message{Timestamp: m.Timestamp, CorrelationID: m.CorrelationID, Error: m.Error, Metadata: m.Metadata}
	end := len(t.buf)
	buf := after.Append(t.buf)
	if buf[end] = ','; len(buf) == end+2 { // there is nothing after the data
		buf = append(buf[:end], '}')
	}
	start := textRoom - len(head) - frameHeader
	size := len(buf) - start - frameHeader
	if size > limit {
		return nil, false
	}
	copy(buf[start+frameHeader:], head)
	binary.LittleEndian.PutUint32(buf[start:], uint32(size))
	t.buf = buf[:end]
	return buf[start:], true
}
