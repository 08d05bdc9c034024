package wire

// A field is one of the members of a message that have a meaning.
type field uint8

const (
	fieldOther field = iota
	fieldType
	fieldMessageID
	fieldChannel
	fieldAction
	fieldData
	fieldTimestamp
	fieldCorrelationID
	fieldError
	fieldMetadata
)

func fieldOf(name []byte) field {
	switch string(name) {
	case "type":
		return fieldType
	case "messageId":
		return fieldMessageID
	case "channel":
		return fieldChannel
	case "action":
		return fieldAction
	case "data":
		return fieldData
	case "timestamp":
		return fieldTimestamp
	case "correlationId":
		return fieldCorrelationID
	case "error":
		return fieldError
	case "metadata":
		return fieldMetadata
	}
	return fieldOther
}

var fieldPaths = [...]string{
	fieldType:          "/type",
	fieldMessageID:     "/messageId",
	fieldChannel:       "/channel",
	fieldAction:        "/action",
	fieldData:          "/data",
	fieldTimestamp:     "/timestamp",
	fieldCorrelationID: "/correlationId",
	fieldError:         "/error",
	fieldMetadata:      "/metadata",
}

// Decode reads the one message that frame holds into m, which it resets
// first. It is strict: the whole frame is one JSON object by the rules of
// Valid, and the fields have the types they have to have. Fields it does not
// know are checked and ignored, and so is a timestamp that is not a string. A
// null stands for an absent field, except as data, where it is a value.
//
// A type it does not know is no failure: it gives TypeUnknown.
//
// A failure is an *Error with CodeMalformedMessage or CodeMessageTooLarge. m
// then holds nothing but MessageID, if that was read before the fault: so
// that the refusal can say what it refuses.
func (l *Limits) Decode(frame []byte, m *Message) error {
	*m = Message{}
	s := newScanner(frame, l)
	if i, whole := s.canonical(m); !whole && i >= 0 {
		s.message(i, m)
	}
	err := s.release()
	if err != nil {
		*m = Message{MessageID: m.MessageID}
	}
	return err
}

// message reads a message in any form, from the position on to which canonical
// has come.
func (s *scanner) message(i int, m *Message) {
	read := func(name []byte, i int) int {
		f := fieldOf(name)
		if i = s.field(i, f, m); i < 0 {
			s.fault.path = fieldPaths[f]
		}
		return i
	}
	if i > 0 {
		s.resume(m)
		i = s.eachAfter(i, read)
	} else {
		i = s.each(s.space(0), read)
	}
	switch {
	case i < 0:
	case m.Type == TypeUnknown && m.TypeName == nil:
		s.bad(i, "the message has no type")
		s.fault.path = fieldPaths[fieldType]
	default:
		s.end(i)
	}
}

// field reads the value of a field into m.
func (s *scanner) field(i int, f field, m *Message) int {
	var text *[]byte
	switch f {
	case fieldType:
		return s.messageType(i, m)
	case fieldMessageID:
		text = &m.MessageID
	case fieldChannel:
		text = &m.Channel
	case fieldAction:
		text = &m.Action
	case fieldCorrelationID:
		text = &m.CorrelationID
	case fieldTimestamp:
		if s.at(i) != '"' {
			return s.value(i) // a wrong timestamp is no reason to lose a message
		}
		text = &m.Timestamp
	case fieldData:
		return s.raw(i, &m.Data)
	case fieldError:
		return s.object(i, &m.Error)
	case fieldMetadata:
		return s.object(i, &m.Metadata)
	default:
		return s.value(i)
	}
	return s.string(i, text)
}

func (s *scanner) messageType(i int, m *Message) int {
	var name []byte
	i = s.string(i, &name)
	if m.Type = ParseType(name); m.Type == TypeUnknown {
		m.TypeName = name
	}
	return i
}

// string reads a string, or null for none.
func (s *scanner) string(i int, text *[]byte) int {
	switch s.at(i) {
	case '"':
	case 'n':
		return s.null(i)
	default:
		return s.bad(i, "expected a string")
	}
	if s.tokens--; s.tokens < 0 {
		return s.tooMany(i)
	}
	end, escaped := s.text(i + 1)
	if end < 0 {
		return failed
	}
	*text = s.buf[i+1 : end : end]
	if escaped {
		*text = unescape(make([]byte, 0, end-i), *text)
	}
	return end + 1
}

// object reads an object as it stands, or null for none.
func (s *scanner) object(i int, raw *[]byte) int {
	switch s.at(i) {
	case '{':
		return s.raw(i, raw)
	case 'n':
		return s.null(i)
	}
	return s.bad(i, "expected an object")
}

// raw reads a value as it stands.
func (s *scanner) raw(i int, raw *[]byte) int {
	end := s.value(i)
	if end >= 0 {
		*raw = s.buf[i:end:end]
	}
	return end
}

func (s *scanner) null(i int) int {
	if s.tokens--; s.tokens < 0 {
		return s.tooMany(i)
	}
	return s.literal(i, "null")
}
