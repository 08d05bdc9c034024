package wire

import (
	"bytes"
	"strings"
)

const (
	maxName   = 255 // bytes of a name or a pattern
	maxTokens = 16  // tokens of a name or a pattern

	eventPrefix     = "events."
	broadcastPrefix = "broadcast."
	ipcPrefix       = "ipc."
)

// CheckName checks the name of a service, a method, an event or a channel:
// tokens of letters, digits, '_' and '-', joined by dots, at most 16 of them
// and 255 bytes. Its failure has CodeInvalidName.
func CheckName(s string) error {
	if why := nameFault(s); why != "" {
		return Errorf(CodeInvalidName, "name %s: %s", quoteShort(s), why)
	}
	return nil
}

// CheckChannel checks the channel of a message: a name, or "events." and the
// name of an event.
func CheckChannel(s string) error {
	if why := nameFault(strings.TrimPrefix(s, eventPrefix)); why != "" {
		return Errorf(CodeInvalidName, "channel %s: %s", quoteShort(s), why)
	}
	return nil
}

// Reserved reports whether the first token of name belongs to the protocol,
// so that no service and no event of a user may begin with it.
func Reserved(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	switch first {
	case "ipc", "ekko", "events", "broadcast":
		return true
	}
	return false
}

// nameFault says what is wrong with a name, or nothing.
func nameFault(s string) string {
	if s == "" {
		return "empty"
	}
	if len(s) > maxName {
		return "longer than 255 bytes"
	}
	tokens, size := 1, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c != '.' && !nameByte[c]:
			return "only letters, digits, '_', '-' and dots are allowed"
		case c != '.':
			size++
		case size == 0:
			return "an empty token"
		default:
			tokens, size = tokens+1, 0
		}
	}
	if size == 0 {
		return "an empty token"
	}
	if tokens > maxTokens {
		return "more than 16 tokens"
	}
	return ""
}

var nameByte = func() (set [256]bool) {
	for c := range set {
		lower := c | 0x20
		set[c] = c < 128 && ('a' <= lower && lower <= 'z' || isDigit(byte(c)) || c == '_' || c == '-')
	}
	return set
}()

// quoteShort quotes a name for a message, without repeating a book.
func quoteShort(s string) string {
	const most = 64
	if len(s) > most {
		return string(AppendString(nil, strings.ToValidUTF8(s[:most], ""))) + "…"
	}
	return string(AppendString(nil, s))
}

// SplitChannel splits a request's channel into service and method, which is
// its last token. A channel of one token is the service alone, and method is
// nil.
func SplitChannel(channel []byte) (service, method []byte) {
	dot := bytes.LastIndexByte(channel, '.')
	if dot < 0 {
		return channel, nil
	}
	return channel[:dot:dot], channel[dot+1:]
}

// EventName returns the name of the event that travels on channel:
// "user.created" for "events.user.created", and any other channel as it is.
func EventName(channel []byte) []byte {
	return bytes.TrimPrefix(channel, []byte(eventPrefix))
}

// EventChannel returns the channel on which the event with this name travels:
// "events." and the name, but for the channels of the protocol itself
// ("broadcast.", "ipc.") and for what is such a channel already.
func EventChannel(name string) string {
	if strings.HasPrefix(name, eventPrefix) || strings.HasPrefix(name, broadcastPrefix) || strings.HasPrefix(name, ipcPrefix) {
		return name
	}
	return eventPrefix + name
}
