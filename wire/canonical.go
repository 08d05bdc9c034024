package wire

import "github.com/ekkojs/ipc/internal/plain"

// canonicalOrder is the order of the members in the form that canonical knows,
// which is that of Message.Append.
var canonicalOrder = [...]string{
	"type", "messageId", "channel", "action", "data", "timestamp", "correlationId", "error", "metadata",
}

// canonical reads a message in the form in which Message.Append writes it, and
// so nearly every message that comes: the members in that order, the type
// first, no white space but in values, and in what is text no escapes and nothing but ASCII.
// A member cannot come twice in this form, so no names are remembered, and
// what leads to a value is compared as a whole.
//
// whole says that this was all of the message. Else i is where the form ends,
// behind the members that m then has: 0 when it was not even begun, negative
// when a value was wrong. What the rest is, and what is wrong with it, is for
// the general reader to say, which goes on from there: see resume.
func (s *scanner) canonical(m *Message) (i int, whole bool) {
	rest := s.canonicalHead(m)
	if rest == nil {
		return 0, false
	}
	if len(rest) > 14 && string(rest[:14]) == `,"messageId":"` {
		m.MessageID, rest = s.plainText(rest, 14)
	}
	if len(rest) > 12 && string(rest[:12]) == `,"channel":"` {
		m.Channel, rest = s.plainText(rest, 12)
	}
	if len(rest) > 11 && string(rest[:11]) == `,"action":"` {
		m.Action, rest = s.plainText(rest, 11)
	}
	if len(rest) > 8 && string(rest[:8]) == `,"data":` {
		m.Data, rest = s.plainValue(rest, 8, fieldData)
	}
	if len(rest) > 14 && string(rest[:14]) == `,"timestamp":"` {
		m.Timestamp, rest = s.plainText(rest, 14)
	}
	if len(rest) > 18 && string(rest[:16]) == `,"correlationId"` && string(rest[16:18]) == `:"` {
		m.CorrelationID, rest = s.plainText(rest, 18)
	}
	if len(rest) > 10 && string(rest[:10]) == `,"error":{` {
		m.Error, rest = s.plainValue(rest, 9, fieldError)
	}
	if len(rest) > 13 && string(rest[:13]) == `,"metadata":{` {
		m.Metadata, rest = s.plainValue(rest, 12, fieldMetadata)
	}
	if rest == nil {
		return failed, false
	}
	return len(s.buf) - len(rest), len(rest) == 1 && rest[0] == '}'
}

// canonicalHead enters the message and reads its type. It returns what
// follows, or nil if the text is not in the form; also if the limits are so
// narrow that one of them could be met by the names alone.
func (s *scanner) canonicalHead(m *Message) (rest []byte) {
	const shortest = len(`{"type":"event"}`) + 4 // so that all of the words may be compared
	rest = s.buf
	if len(rest) < shortest || string(rest[:8]) != `{"type":` || s.tokens < 3 || s.maxMembers < len(canonicalOrder) {
		return nil
	}
	n := 8
	switch {
	case string(rest[8:17]) == `"request"`:
		m.Type, n = TypeRequest, 17
	case string(rest[8:18]) == `"response"`:
		m.Type, n = TypeResponse, 18
	case string(rest[8:15]) == `"event"`:
		m.Type, n = TypeEvent, 15
	default:
		return nil
	}
	s.tokens -= 3
	s.containers = append(s.containers, container{})
	return rest[n:]
}

// plainText reads a member whose text begins skip bytes into rest. It returns
// the text and what follows the member, or the same rest, which then nothing
// of the form matches any more, if the text is not plain.
func (s *scanner) plainText(rest []byte, skip int) (text, after []byte) {
	inside := rest[skip:]
	n := plain.ASCII(inside)
	if n == len(inside) || inside[n] != '"' || s.tokens < 2 {
		return nil, rest
	}
	s.tokens -= 2
	return inside[:n:n], inside[n+1:]
}

// plainValue reads a member whose value begins skip bytes into rest. It
// returns the value and what follows, which is nil if the value is wrong.
func (s *scanner) plainValue(rest []byte, skip int, f field) (value, after []byte) {
	if s.tokens < 1 {
		return nil, rest
	}
	s.tokens--
	start := s.space(len(s.buf) - len(rest) + skip)
	end := s.known(start)
	if end < 0 {
		s.fault.path = fieldPaths[f]
		return nil, nil
	}
	return s.buf[start:end:end], s.buf[end:]
}

// resume makes good for the general reader what canonical left out: the names
// of the members that m has.
func (s *scanner) resume(m *Message) {
	has := [...]bool{
		true, m.MessageID != nil, m.Channel != nil, m.Action != nil, m.Data != nil,
		m.Timestamp != nil, m.CorrelationID != nil, m.Error != nil, m.Metadata != nil,
	}
	for k, name := range canonicalOrder {
		if has[k] {
			s.members.add(s.buf, s.containers, s.members.keep([]byte(name)))
		}
	}
}
