package wire

import "strconv"

var typeNames = [...]string{
	TypeUnknown:     "unknown",
	TypeRequest:     "request",
	TypeResponse:    "response",
	TypeEvent:       "event",
	TypeSubscribe:   "subscribe",
	TypeUnsubscribe: "unsubscribe",
}

// String returns the type as it is written on the wire, in lower case, or
// "unknown".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "Type(" + strconv.Itoa(int(t)) + ")"
}

// ParseType returns the type that name stands for, in any case, or
// TypeUnknown.
func ParseType(name []byte) Type {
	switch string(name) {
	case "request":
		return TypeRequest
	case "response":
		return TypeResponse
	case "event":
		return TypeEvent
	case "subscribe":
		return TypeSubscribe
	case "unsubscribe":
		return TypeUnsubscribe
	}
	for t := TypeRequest; t <= TypeUnsubscribe; t++ {
		if foldsTo(name, typeNames[t]) {
			return t
		}
	}
	return TypeUnknown
}

// foldsTo reports whether name is lower but for the case of its ASCII
// letters. Unicode's folding would let "ſubscribe" pass.
func foldsTo(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
