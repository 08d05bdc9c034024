package session

import (
	"context"
	"io"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// A request may carry many values in either direction, or in both. Those of
// the service are responses with "more"; those of the client are events on
// ipc.stream, as is all that paces the one or the other:
//
//	client                               service
//	request, credit 262144  ──────────▶
//	                        ◀──────────  response, more      item
//	ipc.stream, credit      ──────────▶                      the reader keeps up
//	ipc.stream, data        ──────────▶                      item
//	                        ◀──────────  ipc.stream, credit
//	ipc.stream              ──────────▶                      no more items
//	                        ◀──────────  response            the end
//
// Credit is bytes: items may be sent while there is some left, and each takes
// its length off it. So a reader that stalls holds up its own stream only,
// and holds memory for one window and one item.

const (
	// StreamWindow is how many bytes of items may be under way to a reader,
	// or wait for it.
	StreamWindow = 256 << 10

	// StreamCredit is how many bytes a client may send before the service
	// has granted any.
	StreamCredit = 64 << 10

	// MinItemCost is what an item takes off the credit at least, so that
	// many small ones are bounded too.
	MinItemCost = 256

	// maxCredit is where credit stops growing.
	maxCredit = 1 << 40
)

var streamChannel = []byte("ipc.stream")

func itemCost(data []byte) int64 { return int64(max(len(data), MinItemCost)) }

// Stream is the items of one request, seen from either end. One goroutine may
// send and one may receive at the same time.
type Stream struct {
	s    *Session
	id   []byte   // of the request
	slot *slot    // client: its place among the calls
	in   *Inbound // service: what it belongs to

	stop func() bool // client: ends the watch on the context

	// Guarded by Session.mu.
	incoming inflow
	outgoing outflow
	begun    bool        // client: the service has said something of it
	ended    bool        // the final answer is there, or never will be
	err      *wire.Error // why; nil for success
	result   []byte      // client: data of the final answer
}

// inflow is the items on their way to the reader.
type inflow struct {
	items   [][]byte
	granted int64         // credit that the peer has left
	owed    int64         // cost of the items taken and not yet granted anew
	done    bool          // no more will come
	wake    chan struct{} // holds one token when something has changed
}

// outflow is the items on their way to the peer.
type outflow struct {
	free   bool  // the peer asked for no pacing
	credit int64 // left to send
	done   bool  // no more may be sent
	wake   chan struct{}
}

func newStream(s *Session, id []byte) *Stream {
	st := &Stream{s: s, id: id}
	st.incoming.wake, st.outgoing.wake = make(chan struct{}, 1), make(chan struct{}, 1)
	return st
}

// Open sends req, whose answer is a stream. It has no deadline but that of
// ctx, or req.Timeout if that is above zero. When ctx ends, the stream does,
// and the peer is told to stop. A stream must be read to its end or closed.
func (s *Session) Open(ctx context.Context, req *Request) (*Stream, error) {
	if req.Timeout == 0 {
		req.Timeout = -1
	}
	st := newStream(s, nil)
	st.incoming.granted = StreamWindow
	st.outgoing.credit = StreamCredit
	req.Meta.Credit = StreamWindow
	b, err := s.begin(ctx, req, st)
	if err != nil {
		return nil, err
	}
	if b.flush {
		s.flush()
	}
	if ctx.Done() != nil {
		sl, id := b.slot, b.id
		st.stop = context.AfterFunc(ctx, func() { s.abandon(sl, id, ctx.Err()) })
	}
	return st, nil
}

// Recv returns the next item, waiting for it as long as ctx lives. After the
// last one the error is io.EOF, or a *wire.Error that ended the stream.
func (st *Stream) Recv(ctx context.Context) ([]byte, error) {
	for {
		item, ok, err := st.take()
		if ok || err != nil {
			return item, err
		}
		select {
		case <-st.incoming.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take removes the oldest item.
func (st *Stream) take() (item []byte, ok bool, err error) {
	s, f := st.s, &st.incoming
	s.mu.Lock()
	if len(f.items) == 0 {
		defer s.mu.Unlock()
		if !f.done {
			return nil, false, nil
		}
		st.unwatch()
		if st.err != nil {
			return nil, false, st.err
		}
		return nil, false, io.EOF
	}
	item = f.items[0]
	f.items[0] = nil
	f.items = f.items[1:]
	f.owed += itemCost(item)
	flush := false
	if f.owed >= StreamWindow/4 && !f.done {
		flush = st.grantLocked()
	}
	s.mu.Unlock()
	if flush {
		s.flush()
	}
	return item, true, nil
}

// grantLocked lets the peer send as much as was taken, and reports whether the
// caller must flush.
func (st *Stream) grantLocked() (flush bool) {
	s, f := st.s, &st.incoming
	md := wire.Metadata{Credit: f.owed}
	var text [64]byte
	m := wire.Message{Type: wire.TypeEvent, Channel: streamChannel, CorrelationID: st.id, Metadata: md.Append(text[:0])}
	s.freshLocked(&m, time.Now())
	if _, err := s.appendLocked(&m); err != nil {
		return false
	}
	f.granted += f.owed
	f.owed = 0
	return s.claimLocked()
}

// pushLocked adds an item that has arrived. It reports false if the peer had
// no credit for it.
func (st *Stream) pushLocked(item []byte) bool {
	f := &st.incoming
	if f.granted <= 0 {
		return false
	}
	f.granted -= itemCost(item)
	f.items = append(f.items, item)
	wake(f.wake)
	return true
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Send sends an item, which stays the caller's to release, once the peer has
// room for it: as long as ctx lives. The error is what ended the stream, or
// MESSAGE_TOO_LARGE, which does not.
func (st *Stream) Send(ctx context.Context, item *Text) error {
	for {
		sent, err := st.offer(item)
		if sent || err != nil {
			return err
		}
		select {
		case <-st.outgoing.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// offer sends an item if there is credit for it.
func (st *Stream) offer(item *Text) (sent bool, err error) {
	s, f := st.s, &st.outgoing
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waitForRoomLocked()
	switch {
	case f.done && st.err != nil:
		return false, st.err
	case f.done:
		return false, io.ErrClosedPipe
	case !f.free && f.credit <= 0:
		return false, nil
	}
	m := wire.Message{Type: wire.TypeEvent, Channel: streamChannel, CorrelationID: st.id}
	if st.in != nil {
		m.Type, m.Channel, m.Metadata = wire.TypeResponse, nil, moreMetadata
		m.CorrelationID = st.in.answersTo()
	}
	if err := s.sendFlowLocked(&m, item); err != nil {
		return false, err
	}
	f.credit -= itemCost(item.JSON())
	return true, nil
}

// sendFlowLocked appends m, whose data is text unless that is nil, and leaves the writing to a goroutine, so that a
// sender that goes on fills one write with many items.
func (s *Session) sendFlowLocked(m *wire.Message, text *Text) error {
	s.freshLocked(m, time.Now())
	if _, err := s.appendTextLocked(m, text); err != nil {
		err.Details.Origin = s.opts.Origin
		return err
	}
	s.kickLocked()
	return nil
}

// CloseSend says that no more items come from here. It is idempotent.
func (st *Stream) CloseSend() error {
	s := st.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.outgoing.done {
		return nil
	}
	st.outgoing.done = true
	return s.sendFlowLocked(&wire.Message{Type: wire.TypeEvent, Channel: streamChannel, CorrelationID: st.id}, nil)
}

// Result waits for the final answer and returns its data. Items that were not
// received by then are dropped.
func (st *Stream) Result(ctx context.Context) ([]byte, error) {
	for {
		if _, err := st.Recv(ctx); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return st.result, nil
}

// Close tells the peer to stop, unless the stream has ended, and drops what
// was not received. It is idempotent.
func (st *Stream) Close() {
	s := st.s
	s.mu.Lock()
	if !st.ended && st.slot != nil {
		s.abandonLocked(st.slot, context.Canceled)
	}
	st.incoming.items = nil
	s.mu.Unlock()
	st.unwatch()
}

func (st *Stream) unwatch() {
	if st.stop != nil {
		st.stop()
	}
}

// finishLocked ends the stream with the final answer. On a client the slot is
// free again.
func (st *Stream) finishLocked(result []byte, err *wire.Error) {
	if st.ended {
		return
	}
	st.ended, st.err, st.result = true, err, result
	st.incoming.done, st.outgoing.done = true, true
	wake(st.incoming.wake)
	wake(st.outgoing.wake)
	if st.slot != nil {
		st.s.keep--
		st.s.releaseLocked(st.slot)
	}
}

// answeredLocked takes a response to the request that opened the stream.
func (st *Stream) answeredLocked(a *answer) {
	st.begun = true
	switch {
	case !a.more:
		st.finishLocked(a.data, a.err)
	case !st.pushLocked(a.data):
		st.s.breakOffLocked(st.slot, tooMuch("the service"))
	}
}

func tooMuch(who string) *wire.Error {
	e := wire.Errorf(wire.CodeProtocolError, "%s sent more than it had credit for", who)
	e.Details.Executed = wire.ExecutedMaybe
	return e
}

// flow takes an event on ipc.stream.
func (s *Session) flow(in *Inbound) {
	var stop *Context
	s.mu.Lock()
	if st := s.streamLocked(in.CorrelationID); st != nil {
		stop = st.flowLocked(in)
	} else if of := s.inFlight[string(in.CorrelationID)]; of != nil && of.r != nil {
		of.keepEarlyLocked(in) // it may stream yet
	}
	s.mu.Unlock()
	if stop != nil {
		stop.cancel(context.Canceled)
	}
}

// flowLocked is flow for a stream that goes on. It returns the context to end,
// nil if that is none.
func (st *Stream) flowLocked(in *Inbound) (stop *Context) {
	st.begun = true
	switch {
	case in.Meta.Credit != 0 || in.Data != nil:
		st.creditLocked(in.Meta.Credit)
		if in.Data != nil && st.in != nil && !st.incoming.done && !st.pushLocked(append([]byte(nil), in.Data...)) {
			st.finishLocked(nil, tooMuch("the client"))
			return st.in.cancelLocked()
		}
	case st.in != nil:
		st.incoming.done = true
		wake(st.incoming.wake)
	}
	return nil
}

func (st *Stream) creditLocked(more int64) {
	if f := &st.outgoing; more > 0 {
		f.credit = min(f.credit+min(more, maxCredit), maxCredit)
		wake(f.wake)
	}
}

// streamLocked returns the stream that belongs to the request with this id.
func (s *Session) streamLocked(id []byte) *Stream {
	if in := s.inFlight[string(id)]; in != nil {
		return in.stream
	}
	if index, ok := indexOf(id); ok && index < uint32(len(s.calls.slots)) {
		if sl := s.calls.slots[index]; sl.waiting && string(sl.id[:]) == string(id) {
			return sl.stream
		}
	}
	return nil
}

// Streams says that the method of the request streams. It comes before Go or
// Aside, one of which has to be called before the handler does anything that
// takes long: what comes for the stream until then is kept, but not for ever.
func (in *Inbound) Streams() { in.streams = true }

// Streaming reports whether Streams was called.
func (in *Inbound) Streaming() bool { return in.streams }

// Stream returns what streams, nil for requests that do not or are not aside.
func (in *Inbound) Stream() *Stream { return in.stream }

// streamRefusedLocked says why a request cannot stream, nil if it can.
func (in *Inbound) streamRefusedLocked() *wire.Error {
	switch {
	case !in.streams:
	case in.MessageID == nil:
		return wire.Errorf(wire.CodeProtocolError, "a request that streams needs a messageId")
	case in.takenLocked():
		return wire.Errorf(wire.CodeProtocolError, "a request with the id %q is running already; one that streams needs an id of its own", in.MessageID)
	}
	return nil
}

// takenLocked reports whether another request has the id of this one.
func (in *Inbound) takenLocked() bool {
	other := in.s.inFlight[string(in.MessageID)]
	return other != nil && other != in
}

// openLocked makes the stream of a request that has been enrolled.
func (in *Inbound) openLocked(e *early) {
	st := newStream(in.s, in.MessageID)
	st.in, in.stream = in, st
	st.incoming.granted = StreamCredit
	st.outgoing.free = in.Meta.Credit <= 0
	st.outgoing.credit = min(in.Meta.Credit, maxCredit)
	st.takeEarlyLocked(e)
}
