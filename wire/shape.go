package wire

import (
	"bytes"

	"github.com/ekkojs/ipc/internal/plain"
)

// Shape is what the events of one channel look like that come from one
// encoder, one after the other: they differ in id, data, time and number
// only. Whoever receives many of them compares the rest instead of reading
// it. The zero Shape knows nothing; it is for one goroutine.
type Shape struct {
	// The message, apart from what differs, in order:
	middle []byte // from the end of the id to the data
	number []byte // from the end of the time to the digits of seq
	end    []byte // from there on

	// What stands in it.
	channel                     []byte
	epoch, stream, subscription []byte

	scanner *scanner // of the data; kept, since it would be asked for each time
}

const (
	shapeHead = `{"type":"event","messageId":"`
	shapeTime = `,"timestamp":"`

	shapeID    = len("0b9c4b2e-0000-4000-8000-000000000000")
	shapeStamp = len("2026-11-22T12:00:00.123Z")
)

// Decode is Limits.Decode and Limits.DecodeMetadata in one for a message of
// the shape. It is not ok if frame is no such message, valid or not; m and md
// are as they were then. again says that they hold what Decode put there last,
// so that only what differs has to be written.
func (sh *Shape) Decode(l *Limits, frame []byte, m *Message, md *Metadata, again bool) (ok bool) {
	const before = len(shapeHead) + shapeID
	data := before + len(sh.middle)
	if sh.middle == nil || len(frame) < data+len(shapeTime)+shapeStamp+len(sh.number)+len(sh.end) ||
		string(frame[:len(shapeHead)]) != shapeHead ||
		string(frame[before:data]) != string(sh.middle) {
		return false
	}
	digits := len(frame) - len(sh.end)
	if string(frame[digits:]) != string(sh.end) {
		return false
	}
	seq, first := numberBefore(frame, digits)
	stamp := first - len(sh.number) - shapeStamp
	last := stamp - len(shapeTime)
	if first == digits || last <= data ||
		string(frame[first-len(sh.number):first]) != string(sh.number) ||
		string(frame[last:stamp]) != shapeTime {
		return false
	}
	id, when := frame[len(shapeHead):before], frame[stamp:stamp+shapeStamp]
	if plain.ASCII(id) != len(id) || plain.ASCII(when) != len(when) || !sh.isValue(frame[data:last], l) {
		return false
	}
	if !again {
		*m = Message{Type: TypeEvent, Channel: sh.channel}
		*md = Metadata{HasSeq: true, Epoch: sh.epoch, Stream: sh.stream, Subscription: sh.subscription}
	}
	m.MessageID, m.Data, m.Timestamp = id, frame[data:last], when
	m.Metadata = frame[stamp+shapeStamp+len(`","metadata":`) : len(frame)-1]
	md.Seq = seq
	return true
}

// numberBefore reads the digits that end at end; first is where they begin,
// end if they are no number as we write it.
func numberBefore(b []byte, end int) (n uint64, first int) {
	const most = 19 // digits, so that it does not overflow
	scale := uint64(1)
	for first = end; first > 0 && isDigit(b[first-1]); scale *= 10 {
		if end-first == most {
			return 0, end
		}
		first--
		n += uint64(b[first]-'0') * scale
	}
	if first < end-1 && b[first] == '0' {
		return 0, end
	}
	return n, first
}

// isValue reports whether data is one JSON value that the limits allow.
func (sh *Shape) isValue(data []byte, l *Limits) bool {
	if sh.scanner == nil {
		sh.scanner = scanners.New().(*scanner)
	}
	s := sh.scanner
	s.set(data, l)
	good := s.known(0) == len(data)
	kept, err := s.reset()
	if !kept {
		sh.scanner = nil
	}
	return good && err == nil
}

// Learn takes up the shape of an event that has been decoded in the ordinary
// way. What is not of a shape leaves it as it is.
func (sh *Shape) Learn(l *Limits, frame []byte, m *Message, md *Metadata) {
	at := bytes.Index(m.Metadata, []byte(`"seq":`))
	if m.Type != TypeEvent || m.Data == nil || !md.HasSeq || at < 0 || !isPlainName(m.Channel) ||
		md.TimeoutMS != 0 || md.Traceparent != nil || md.Tracestate != nil || md.IdempotencyKey != nil || md.Credit != 0 ||
		md.Gap != nil || md.More || md.Confirm || md.Redelivered || md.Snapshot || md.Deliveries != 0 {
		return
	}
	at += len(`"seq":`)
	digits := at
	for digits < len(m.Metadata) && isDigit(m.Metadata[digits]) {
		digits++
	}
	one := Shape{scanner: sh.scanner}
	one.channel = bytes.Clone(m.Channel)
	one.epoch, one.stream, one.subscription = bytes.Clone(md.Epoch), bytes.Clone(md.Stream), bytes.Clone(md.Subscription)
	one.middle = append(append([]byte(`","channel":"`), m.Channel...), `","data":`...)
	one.number = append([]byte(`","metadata":`), m.Metadata[:at]...)
	one.end = append(bytes.Clone(m.Metadata[digits:]), '}')
	var again Message
	var extra Metadata
	if one.Decode(l, frame, &again, &extra, false) && bytes.Equal(again.Data, m.Data) && bytes.Equal(again.Metadata, m.Metadata) && extra.Seq == md.Seq {
		*sh = one
	}
}

// isPlainName reports whether a decoded text is written as it is.
func isPlainName(name []byte) bool {
	return len(name) > 0 && plain.ASCII(name) == len(name)
}
