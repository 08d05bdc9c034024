package wire

import (
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/ekkojs/ipc/internal/plain"
)

// Append appends m as a JSON object: the fields that are not nil, text
// escaped where it must be, raw fields as they are. Data, Error and Metadata
// have to be valid JSON; that is not looked at.
func (m *Message) Append(dst []byte) []byte {
	// Room for all members' names, the type, and text that needs no escape.
	dst = slices.Grow(dst, 160+len(m.MessageID)+len(m.Channel)+len(m.Action)+len(m.Data)+
		len(m.Timestamp)+len(m.CorrelationID)+len(m.Error)+len(m.Metadata))
	start := len(dst)
	if m.Type != TypeUnknown {
		dst = append(dst, `,"type":"`...)
		dst = append(dst, m.Type.String()...)
		dst = append(dst, '"')
	} else if m.TypeName != nil {
		dst = appendText(append(dst, `,"type":`...), m.TypeName)
	}
	if m.MessageID != nil {
		dst = appendText(append(dst, `,"messageId":`...), m.MessageID)
	}
	if m.Channel != nil {
		dst = appendText(append(dst, `,"channel":`...), m.Channel)
	}
	if m.Action != nil {
		dst = appendText(append(dst, `,"action":`...), m.Action)
	}
	if m.Data != nil {
		dst = append(append(dst, `,"data":`...), m.Data...)
	}
	if m.Timestamp != nil {
		dst = appendText(append(dst, `,"timestamp":`...), m.Timestamp)
	}
	if m.CorrelationID != nil {
		dst = appendText(append(dst, `,"correlationId":`...), m.CorrelationID)
	}
	if m.Error != nil {
		dst = append(append(dst, `,"error":`...), m.Error...)
	}
	if m.Metadata != nil {
		dst = append(append(dst, `,"metadata":`...), m.Metadata...)
	}
	return closeObject(dst, start)
}

// closeObject makes an object of the members after start, each of which was
// written with a comma before it: the first comma becomes the brace.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

// AppendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD,
// so that the result is valid whatever s holds.
func AppendString[S string | []byte](dst []byte, s S) []byte {
	switch s := any(s).(type) {
	case string:
		// Not []byte(s), which copies it: the compiler does not know that
		// what looks at it in assembly does not write there.
		return appendText(dst, unsafe.Slice(unsafe.StringData(s), len(s)))
	case []byte:
		return appendText(dst, s)
	}
	return dst // there are no others
}

func appendText(dst, text []byte) []byte {
	dst = append(dst, '"')
	if clean := plain.ASCII(text); clean == len(text) {
		dst = append(dst, text...)
	} else {
		dst = appendEscaped(append(dst, text[:clean]...), text[clean:])
	}
	return append(dst, '"')
}

func appendEscaped(dst, text []byte) []byte {
	for len(text) > 0 {
		n := plain.Text(text)
		dst = appendUTF8(dst, text[:n])
		if text = text[n:]; len(text) > 0 {
			dst = appendEscape(dst, text[0])
			text = text[1:]
		}
	}
	return dst
}

// appendUTF8 appends text, with U+FFFD for each byte that is not UTF-8.
func appendUTF8(dst, text []byte) []byte {
	if utf8.Valid(text) {
		return append(dst, text...)
	}
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, r) // utf8.RuneError is U+FFFD
		text = text[n:]
	}
	return dst
}

// appendEscape appends the escape sequence of a quote, a backslash or a
// control character, the short one where there is one.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '\b':
		c = 'b'
	case '\f':
		c = 'f'
	case '\n':
		c = 'n'
	case '\r':
		c = 'r'
	case '\t':
		c = 't'
	case '"', '\\':
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(dst, '\\', c)
}
