package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// AppendJSON appends e as the error object of a response. The Cause stays
// here. The result is valid JSON whatever e holds: what cannot be encoded in
// Details.More is written as text.
func (e *Error) AppendJSON(dst []byte) []byte {
	dst = AppendString(append(dst, `{"code":`...), string(e.Code))
	dst = AppendString(append(dst, `,"message":`...), e.Message)
	return append(e.Details.append(append(dst, `,"details":`...)), '}')
}

func (d *Details) append(dst []byte) []byte {
	start := len(dst)
	if d.Executed != "" {
		dst = AppendString(append(dst, `,"executed":`...), string(d.Executed))
	}
	dst = strconv.AppendBool(append(dst, `,"retryable":`...), d.Retryable)
	if d.RetryAfter > 0 {
		// Rounded up: a peer told 0 would come back at once.
		ms := (d.RetryAfter-1)/time.Millisecond + 1
		dst = strconv.AppendInt(append(dst, `,"retryAfterMs":`...), int64(ms), 10)
	}
	if d.Origin != "" {
		dst = AppendString(append(dst, `,"origin":`...), string(d.Origin))
	}
	if d.Path != "" {
		dst = AppendString(append(dst, `,"path":`...), d.Path)
	}
	for _, key := range slices.Sorted(maps.Keys(d.More)) {
		if !detailNames[key] {
			dst = append(AppendString(append(dst, ','), key), ':')
			dst = appendAny(dst, d.More[key])
		}
	}
	return closeObject(dst, start)
}

// detailNames are the members of details that have a field of their own.
var detailNames = map[string]bool{
	"executed": true, "retryable": true, "retryAfterMs": true, "origin": true, "path": true,
}

// moreLimits leaves room for the details' own place in a message.
var moreLimits = Limits{MaxDepth: 32}

// appendAny appends v as JSON, or its text when it has no valid JSON.
func appendAny(dst []byte, v any) []byte {
	if err, ok := v.(error); ok { // encoding/json would write {} for most
		return AppendString(dst, err.Error())
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// No fmt.Sprint of v: it never ends when v holds itself.
		return AppendString(dst, fmt.Sprintf("%T: %v", v, err))
	}
	raw := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	if moreLimits.Valid(raw) != nil {
		return AppendString(dst, string(raw)) // a RawMessage may hold anything, such as a name twice
	}
	return append(dst, raw...)
}

// DecodeError reads the error object of a response. It always returns an
// error: one with CodeInternal if raw is no such object.
//
// What the details leave open has the defaults of the table of codes. A code
// that is not in the table is kept, and its default is what CodeInternal's
// is: ExecutedMaybe, not retryable. Members of details that have the wrong
// type are ignored.
func DecodeError(raw []byte) *Error {
	s := newScanner(raw, nil)
	var code, message, details []byte
	i := s.each(s.space(0), func(name []byte, i int) int {
		switch string(name) {
		case "code":
			return s.string(i, &code)
		case "message":
			return s.string(i, &message)
		case "details":
			return s.raw(i, &details)
		}
		return s.value(i)
	})
	if i >= 0 && len(code) == 0 {
		s.bad(i, "the error has no code")
	} else if i >= 0 {
		s.end(i)
	}
	if err := s.release(); err != nil {
		return Errorf(CodeInternal, "the peer answered with a malformed error: %w", err)
	}
	e := &Error{Code: Code(code), Message: string(message)}
	e.Details.Executed, e.Details.Retryable = e.Code.Executed(), e.Code.Retryable()
	e.Details.decode(details)
	return e
}

// decode reads raw, which is valid JSON or nil, over the defaults in d.
func (d *Details) decode(raw []byte) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // 2^53+1 must not become 2^53
	var all map[string]any
	if dec.Decode(&all) != nil {
		return
	}
	if v, ok := all["executed"].(string); ok {
		switch Executed(v) {
		case ExecutedNo, ExecutedMaybe, ExecutedYes:
			d.Executed = Executed(v)
		default:
			d.Executed = ExecutedMaybe
		}
	}
	if v, ok := all["retryable"].(bool); ok {
		d.Retryable = v
	}
	if v, ok := all["retryAfterMs"].(json.Number); ok {
		d.RetryAfter = millis(v)
	}
	if v, ok := all["origin"].(string); ok {
		d.Origin = Origin(v)
	}
	if v, ok := all["path"].(string); ok {
		d.Path = v
	}
	for name := range detailNames {
		delete(all, name)
	}
	if len(all) > 0 {
		d.More = all
	}
}

// millis returns a number of milliseconds as a duration, which may be the
// longest there is.
func millis(n json.Number) time.Duration {
	ms, _ := n.Float64() // ±Inf when out of range
	switch {
	case !(ms > 0):
		return 0
	case ms >= math.MaxInt64/float64(time.Millisecond):
		return math.MaxInt64
	}
	return time.Duration(math.Ceil(ms)) * time.Millisecond
}
