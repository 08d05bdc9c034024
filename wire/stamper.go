package wire

import "time"

// A Stamper writes points in time as messages carry them: ISO 8601 in UTC to
// the millisecond. It keeps the text of the last second, since most messages
// leave in the second of the one before. The zero Stamper is ready; it is not
// safe for concurrent use.
type Stamper struct {
	second int64
	text   [len(stampSecond)]byte
	filled bool
}

const (
	stampSecond = "2006-01-02T15:04:05."

	// What four digits of the year can say.
	stampFirst = -62_167_219_200_000 // 0000-01-01T00:00:00.000Z
	stampLast  = 253_402_300_799_999 // 9999-12-31T23:59:59.999Z
)

// Append appends the text of a time given in milliseconds since 1970. Years
// before 0 and after 9999 have no such text: the nearest time that has is
// written.
func (s *Stamper) Append(dst []byte, unixMilli int64) []byte {
	unixMilli = min(max(unixMilli, stampFirst), stampLast)
	second, milli := unixMilli/1000, unixMilli%1000
	if milli < 0 {
		second, milli = second-1, milli+1000
	}
	if second != s.second || !s.filled {
		time.Unix(second, 0).UTC().AppendFormat(s.text[:0], stampSecond)
		s.second, s.filled = second, true
	}
	dst = append(dst, s.text[:]...)
	return append(dst, byte('0'+milli/100), byte('0'+milli/10%10), byte('0'+milli%10), 'Z')
}

// An Unstamper reads the points in time that messages carry. It keeps the
// last second, for the reason that a Stamper does. The zero Unstamper is
// ready; it is not safe for concurrent use.
type Unstamper struct {
	text   [len(stampSecond)]byte
	second int64 // in nanoseconds since 1970
}

// Parse returns the time that text says, in any form of RFC 3339, in
// nanoseconds since 1970; 0 if it says none, or one too far away for that.
func (u *Unstamper) Parse(text []byte) int64 {
	const n = len(stampSecond)
	if len(text) == n+len("123Z") && string(text[:n]) == string(u.text[:]) && text[n+3] == 'Z' &&
		isDigit(text[n]) && isDigit(text[n+1]) && isDigit(text[n+2]) {
		milli := int(text[n]-'0')*100 + int(text[n+1]-'0')*10 + int(text[n+2]-'0')
		return u.second + int64(milli)*int64(time.Millisecond)
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || at.Year() < 1700 || at.Year() > 2200 {
		return 0
	}
	if len(text) == n+len("123Z") && text[n-1] == '.' && text[n+3] == 'Z' {
		copy(u.text[:], text)
		u.second = at.Unix() * int64(time.Second)
	}
	return at.UnixNano()
}
