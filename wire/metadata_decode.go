package wire

import "math"

// DecodeMetadata reads the metadata of a message into md, which it resets
// first. Members it does not know are checked and ignored; one it knows that
// has the wrong type is a failure, an *Error as Decode's, and md is then zero.
// Numbers have to be written as integers: 5000, and neither 5e3 nor 5000.0.
func (l *Limits) DecodeMetadata(raw []byte, md *Metadata) error {
	*md = Metadata{}
	if ms := onlyTimeout(raw); ms > 0 && l.maxTokens() >= 3 {
		md.TimeoutMS = ms
		return nil
	}
	s := newScanner(raw, l)
	i := s.each(s.space(0), func(name []byte, i int) int { return s.metadata(name, i, md) })
	if i >= 0 {
		s.end(i)
	}
	err := s.release()
	if err != nil {
		*md = Metadata{}
	}
	return err
}

// onlyTimeout returns the timeout of metadata that has nothing else to say, as
// that of most requests with a deadline, written as Metadata.Append does; 0
// for all others. Nine digits are eleven days.
func onlyTimeout(raw []byte) (ms int64) {
	const before, digits = len(`{"timeoutMs":`), 9
	last := len(raw) - 1
	if last <= before || last > before+digits || string(raw[:before]) != `{"timeoutMs":` || raw[last] != '}' || raw[before] == '0' {
		return 0
	}
	for _, c := range raw[before:last] {
		if !isDigit(c) {
			return 0
		}
		ms = ms*10 + int64(c-'0')
	}
	return ms
}

// metadata reads the value of one member.
func (s *scanner) metadata(name []byte, i int, md *Metadata) int {
	path := ""
	switch string(name) {
	case "timeoutMs":
		path, i = "/metadata/timeoutMs", s.signed(i, &md.TimeoutMS)
	case "traceparent":
		path, i = "/metadata/traceparent", s.string(i, &md.Traceparent)
	case "tracestate":
		path, i = "/metadata/tracestate", s.string(i, &md.Tracestate)
	case "idempotencyKey":
		path, i = "/metadata/idempotencyKey", s.string(i, &md.IdempotencyKey)
	case "subscription":
		path, i = "/metadata/subscription", s.string(i, &md.Subscription)
	case "epoch":
		path, i = "/metadata/epoch", s.string(i, &md.Epoch)
	case "stream":
		path, i = "/metadata/stream", s.string(i, &md.Stream)
	case "confirm":
		path, i = "/metadata/confirm", s.bool(i, &md.Confirm)
	case "more":
		path, i = "/metadata/more", s.bool(i, &md.More)
	case "credit":
		path, i = "/metadata/credit", s.signed(i, &md.Credit)
	case "seq":
		path, i = "/metadata/seq", s.unsigned(i, &md.Seq, &md.HasSeq)
	case "gap":
		path, i = "/metadata/gap", s.gap(i, md)
	case "redelivered":
		path, i = "/metadata/redelivered", s.bool(i, &md.Redelivered)
	case "deliveries":
		path, i = "/metadata/deliveries", s.signed(i, &md.Deliveries)
	case "snapshot":
		path, i = "/metadata/snapshot", s.bool(i, &md.Snapshot)
	default:
		return s.value(i)
	}
	if i < 0 {
		s.fault.path = path
	}
	return i
}

func (s *scanner) gap(i int, md *Metadata) int {
	if s.at(i) == 'n' {
		return s.null(i)
	}
	g := new(Gap)
	var reason []byte
	var hasFrom, hasTo, hasCount bool
	i = s.each(i, func(name []byte, i int) int {
		switch string(name) {
		case "from":
			return s.unsigned(i, &g.From, &hasFrom)
		case "to":
			return s.unsigned(i, &g.To, &hasTo)
		case "reason":
			return s.string(i, &reason)
		case "count":
			return s.unsigned(i, &g.Count, &hasCount)
		}
		return s.value(i)
	})
	if i >= 0 && (!hasFrom || !hasTo) {
		return s.bad(i, "a gap without from and to")
	}
	g.Reason = string(reason)
	md.Gap = g
	return i
}

// bool reads true or false, or null for false.
func (s *scanner) bool(i int, v *bool) int {
	if s.tokens--; s.tokens < 0 {
		return s.tooMany(i)
	}
	switch s.at(i) {
	case 't':
		*v = true
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	}
	return s.bad(i, "expected true or false")
}

// signed reads an integer, or null for 0.
func (s *scanner) signed(i int, v *int64) int {
	if s.at(i) == 'n' {
		return s.null(i)
	}
	negative := s.at(i) == '-'
	if negative {
		i++
	}
	u, end := s.integer(i)
	switch {
	case end < 0:
		return failed
	case negative && u <= 1<<63:
		*v = -int64(u) // right for 1<<63 too, which is its own negative
	case !negative && u < 1<<63:
		*v = int64(u)
	default:
		return s.bad(i, "the number is too large")
	}
	return end
}

// unsigned reads an integer that is not negative, or null for none.
func (s *scanner) unsigned(i int, v *uint64, has *bool) int {
	if s.at(i) == 'n' {
		return s.null(i)
	}
	u, end := s.integer(i)
	*v, *has = u, end >= 0
	return end
}

// integer reads the digits of a number that has nothing else.
func (s *scanner) integer(i int) (u uint64, end int) {
	if s.tokens--; s.tokens < 0 {
		return 0, s.tooMany(i)
	}
	if !isDigit(s.at(i)) {
		return 0, s.bad(i, "expected an integer")
	}
	if end = s.number(i); end < 0 {
		return 0, failed
	}
	for _, c := range s.buf[i:end] {
		if !isDigit(c) {
			return 0, s.bad(i, "expected an integer")
		}
		d := uint64(c - '0')
		if u > (math.MaxUint64-d)/10 {
			return 0, s.bad(i, "the number is too large")
		}
		u = u*10 + d
	}
	return u, end
}
