package session

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/wire"
)

const (
	frameHeader = 4 // length, unsigned little-endian

	// chunk is about how many bytes leave in one write, and firstChunk how
	// many of a Source until the connection has taken fluent of them: of a
	// peer that never reads no more than that is out of the Source's hands.
	chunk      = 64 << 10
	firstChunk = 8 << 10
	fluent     = 1 << 20

	// maxPooled is the largest buffer that is kept for others.
	maxPooled = 256 << 10
)

// outbox holds the frames that wait to be written. Guarded by Session.mu.
type outbox struct {
	full     []*buffer   // written before buf, each by itself
	buf      *buffer     // nil when empty, so that an idle session holds none
	flushing bool        // somebody is writing, and will take what is appended
	due      bool        // what is there has waited for company long enough
	linger   *time.Timer // says when that is; nil until it is needed
	gathers  bool        // linger runs
	appended uint64      // bytes ever appended
	taken    uint64      // bytes ever offered to the connection: they may have left
	written  uint64      // bytes ever accepted by the connection
	room     sync.Cond
	waiting  int       // goroutines in room
	broken   error     // why nothing can be written any more
	sent     time.Time // the last message of Send
	stamp    wire.Stamper
	id       [36]byte // of the message being appended
	time     [32]byte // likewise
}

// buffer is a run of frames.
type buffer struct {
	b    []byte
	text *Text // whose memory b is; nil if it is the buffer's own
}

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 4<<10)} }}

func (b *buffer) release() {
	switch {
	case b.text != nil:
		b.text.Release()
	case cap(b.b) <= maxPooled:
		b.b = b.b[:0]
		buffers.Put(b)
	}
}

// fitted returns what b has from its nth byte on as a buffer that is not much
// larger than that, and where it begins there: thousands of peers that do not
// read would hold as many large ones.
func (b *buffer) fitted(n int) (*buffer, int) {
	if rest := len(b.b) - n; b.text != nil || cap(b.b) <= 2*rest {
		return b, n
	}
	small := &buffer{b: bytes.Clone(b.b[n:])}
	b.release()
	return small, 0
}

func (o *outbox) empty() bool { return o.buf == nil && len(o.full) == 0 }

// startFrame returns the buffer in which the next frame begins. One that has
// a write's worth of them is left as it is: it would grow beyond what is
// worth keeping, and be made anew for the next burst.
func (o *outbox) startFrame() *buffer {
	if o.buf != nil && len(o.buf.b) >= chunk {
		o.full = append(o.full, o.buf)
		o.buf = nil
	}
	if o.buf == nil {
		o.buf = buffers.Get().(*buffer)
	}
	return o.buf
}

// appendLocked encodes m into the outbox and returns where its frame ends in
// the stream of all bytes.
func (s *Session) appendLocked(m *wire.Message) (end uint64, err *wire.Error) {
	o := &s.outbox
	if err := s.unwritableLocked(); err != nil {
		return 0, err
	}
	b := o.startFrame().b
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = m.Append(b)
	size := len(b) - at - frameHeader
	if size > s.opts.MaxFrame {
		o.buf.b = b[:at]
		return 0, tooLarge(size, s.opts.MaxFrame)
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(size))
	o.buf.b = b
	o.appended += uint64(frameHeader + size)
	return o.appended, nil
}

// unwritableLocked says why nothing can be appended any more, nil if it can.
func (s *Session) unwritableLocked() *wire.Error {
	if s.ended || s.outbox.broken != nil {
		return closedError(cmp.Or(s.outbox.broken, s.err))
	}
	return nil
}

func tooLarge(actual, limit int) *wire.Error {
	e := wire.Errorf(wire.CodeMessageTooLarge, "the message has %d bytes; at most %d are allowed in one frame", actual, limit)
	e.Details.More = map[string]any{"limit": limit, "actual": actual, "direction": "send"}
	return e
}

// freshLocked gives m an id of its own and the time. They are valid until the
// next message.
func (s *Session) freshLocked(m *wire.Message, now time.Time) {
	o := &s.outbox
	m.MessageID = wire.AppendUUID(o.id[:0], rand.Uint64(), rand.Uint64()|maxSlots)
	m.Timestamp = o.stamp.Append(o.time[:0], now.UnixMilli())
}

// claimLocked makes the caller the flusher if there is none; then it must
// call flush once it has given up the lock.
func (s *Session) claimLocked() bool {
	o := &s.outbox
	if o.flushing || s.ended || o.broken != nil {
		return false
	}
	if s.opts.Linger > 0 && !o.due && len(o.full) == 0 && o.buf != nil && len(o.buf.b) < s.opts.LingerBytes {
		s.lingerLocked()
		return false
	}
	o.flushing = true
	return true
}

// lingerLocked sees to it that what is in the outbox leaves in time, though
// nobody writes it now.
func (s *Session) lingerLocked() {
	o := &s.outbox
	switch {
	case o.gathers:
	case o.linger == nil:
		o.linger = time.AfterFunc(s.opts.Linger, s.lingered)
	default:
		o.linger.Reset(s.opts.Linger)
	}
	o.gathers = true
}

func (s *Session) lingered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outbox.gathers, s.outbox.due = false, true
	s.kickLocked()
}

// brisk is how soon after another one a message counts as one of a burst.
const brisk = 20 * time.Microsecond

// Send sends a message that wants no answer. Its Timestamp is filled in, and
// the MessageID of an event: a request that has one is answered. An error
// means that nothing was sent.
//
// Who sends one after the other does not write each of them: another
// goroutine does, so that they leave together.
func (s *Session) Send(m *wire.Message) error {
	s.mu.Lock()
	s.waitForRoomLocked()
	now := time.Now()
	s.freshLocked(m, now)
	if m.Type == wire.TypeRequest {
		m.MessageID = nil
	}
	_, err := s.appendLocked(m)
	burst := now.Sub(s.outbox.sent) < brisk
	s.outbox.sent = now
	flush := false
	switch {
	case err != nil:
	case burst:
		s.kickLocked()
	default:
		flush = s.claimLocked()
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if flush {
		s.flush()
	}
	return nil
}

// Kick says that the source has something to send. It never blocks.
//
// While a handler runs on the reading goroutine nothing is done: that
// goroutine writes when the handler returns, and when it does not, the one
// that takes over does. An event thus leaves in one write with the answer to
// the request that caused it, and after it.
func (s *Session) Kick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.reader.Load(); r != nil && r.state.Load()&stateMask == stateBusy {
		return
	}
	s.kickLocked()
}

// kickLocked leaves the writing to a goroutine of its own, unless somebody is
// writing.
func (s *Session) kickLocked() {
	if s.claimLocked() && !s.goLocked(s.flush) {
		s.outbox.flushing = false
	}
}

// goLocked runs f on a goroutine that Close waits for, unless the session has
// ended.
func (s *Session) goLocked(f func()) bool {
	if s.ended {
		return false
	}
	s.workers.Add(1)
	go func() {
		defer s.workers.Done()
		f()
	}()
	return true
}

// waitForRoomLocked waits while three quarters of the outbox are full. The
// write deadline of the connection bounds the wait.
func (s *Session) waitForRoomLocked() {
	o := &s.outbox
	for !s.ended && o.broken == nil && o.appended-o.written > uint64(s.opts.MaxOutbox)*3/4 {
		o.waiting++
		o.room.Wait()
		o.waiting--
	}
}

// flush writes until the outbox and the source are empty. Only the flusher
// calls it.
func (s *Session) flush() {
	for {
		b := s.take()
		if b == nil {
			return
		}
		n, err := s.conn.TryWrite(b.b)
		if err == nil && n < len(b.b) {
			s.flushBlocked(b, n)
			return
		}
		if !s.wrote(b, n, err) {
			return
		}
	}
}

// sourceChunk is how much to ask of a Source.
func (o *outbox) sourceChunk() int {
	if o.written < fluent {
		return firstChunk
	}
	return chunk
}

// flushBlocked leaves the flusher's role, and b from its nth byte on, to a
// goroutine that may wait for the socket.
func (s *Session) flushBlocked(b *buffer, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outbox.written += uint64(n)
	b, n = b.fitted(n)
	s.goLocked(func() {
		rest := b.b[n:]
		if err := s.conn.Write(rest); err != nil {
			s.broke(b, err)
		} else if s.wrote(b, len(rest), nil) {
			s.flush()
		}
	})
}

// take returns what is to be written now, or nil when there is nothing: then
// the caller is the flusher no longer.
func (s *Session) take() *buffer {
	s.mu.Lock()
	o := &s.outbox
	b := o.nextLocked()
	if len(o.full) == 0 && o.buf == nil && s.source != nil && !s.ended && s.source.Pending() && (b == nil || b.text == nil) {
		if b == nil {
			b = buffers.Get().(*buffer)
		}
		before := len(b.b)
		b.b = s.source.AppendTo(b.b, o.sourceChunk())
		o.appended += uint64(len(b.b) - before)
	}
	if b == nil || len(b.b) == 0 || s.ended || o.broken != nil {
		o.flushing = false
		if o.waiting > 0 {
			o.room.Broadcast()
		}
		s.mu.Unlock()
		return nil
	}
	o.taken += uint64(len(b.b))
	s.mu.Unlock()
	if s.opts.Tap.On() {
		s.tapSent(b.b)
	}
	return b
}

// nextLocked takes out what is to be written next, nil if there is nothing.
func (o *outbox) nextLocked() *buffer {
	o.due = false
	if len(o.full) == 0 {
		b := o.buf
		o.buf = nil
		return b
	}
	b := o.full[0]
	o.full = slices.Delete(o.full, 0, 1) // there are hardly ever many
	return b
}

// readAfterBreak is how long a connection that takes no more bytes is still
// read, for the answers and the farewell that came before it broke.
const readAfterBreak = time.Second

// breakLocked ends the writing. What the peer said before it closed the
// connection is still read; its end is what ends the session.
func (s *Session) breakLocked(err error) {
	o := &s.outbox
	o.broken = err
	s.broken.Store(true)
	for b := o.nextLocked(); b != nil; b = o.nextLocked() {
		b.release()
	}
	if s.role == roleNone {
		s.startReaderLocked()
	}
	time.AfterFunc(readAfterBreak, func() { s.fail(lost(err)) })
}

// wrote accounts for n bytes of b, of which it is known that no more have
// left; it reports false when nothing more can be written.
func (s *Session) wrote(b *buffer, n int, err error) bool {
	s.mu.Lock()
	o := &s.outbox
	o.written += uint64(n)
	if err != nil {
		o.taken = o.written
		s.breakLocked(err)
	}
	if o.waiting > 0 {
		o.room.Broadcast()
	}
	s.nextInQueueLocked()
	ended := s.ended
	s.mu.Unlock()
	b.release()
	return err == nil && !ended
}

// broke ends the writing after some of b, nobody knows how much, has left.
func (s *Session) broke(b *buffer, err error) {
	s.mu.Lock()
	s.breakLocked(err)
	s.outbox.room.Broadcast()
	s.nextInQueueLocked()
	s.mu.Unlock()
	b.release()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.fail(lost(err)) // a peer that takes nothing is not waited for
	}
}

// flushBeforeClose writes all that waits, or finds the session ended.
func (s *Session) flushBeforeClose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.outbox
	for !s.ended && o.broken == nil && (o.flushing || !o.empty()) {
		o.due = true
		if s.claimLocked() {
			s.mu.Unlock()
			s.flush()
			s.mu.Lock()
			continue
		}
		o.waiting++
		o.room.Wait()
		o.waiting--
	}
}

// tapSent tells the tap of each frame in b.
func (s *Session) tapSent(b []byte) {
	now := time.Now()
	for len(b) >= frameHeader {
		n := int(binary.LittleEndian.Uint32(b))
		s.opts.Tap.Emit(&observe.Event{Time: now, Direction: observe.Sent, Peer: s.opts.Peer, Frame: b[frameHeader : frameHeader+n]})
		b = b[frameHeader+n:]
	}
}
