package wire

import (
	"math"
	"strconv"
	"time"
)

// Metadata is what a message says beyond the seven fields of an envelope. A
// nil slice and a zero number mean that the member is absent. The byte slices
// of a decoded Metadata alias the text it was decoded from, as those of a
// Message do.
type Metadata struct {
	TimeoutMS      int64  // how long the sender waits, from now; relative, so that no clocks are compared
	Traceparent    []byte // as W3C has it; not looked into here
	Tracestate     []byte
	IdempotencyKey []byte // the caller allows a retry under this key
	Subscription   []byte // id, where the frame is for one subscriber
	Stream         []byte // what Seq belongs to, where that is not the event itself
	Epoch          []byte // what Seq counts in
	Seq            uint64 // meaningful when HasSeq
	Credit         int64  // how many more items the sender of a stream may send
	Gap            *Gap   // these messages will not come
	Deliveries     int64  // how often the message was given to a member of its group, this time included

	// The flags stand together because that keeps a Metadata small: it is
	// cleared for every frame.

	HasSeq      bool
	Confirm     bool // the publisher wants to know what became of the event
	More        bool // other responses to the same request follow
	Redelivered bool // the message may have been seen before
	Snapshot    bool // the event was kept for who subscribes, and is not news
}

// Gap says which messages of a stream a subscriber has lost, both ends
// included, and why.
type Gap struct {
	From, To uint64
	Reason   string
	Count    uint64 // how many of them were for the subscriber; 0: all
}

// Lost returns how many messages the subscriber lost: Count or, where nobody
// counted, all from From to To.
func (g *Gap) Lost() uint64 {
	switch {
	case g.Count != 0:
		return g.Count
	case g.To < g.From:
		return 0
	}
	return min(g.To-g.From, math.MaxUint64-1) + 1
}

// IsZero reports whether md says nothing, so that it need not be sent.
func (md *Metadata) IsZero() bool {
	return md.TimeoutMS == 0 && md.Traceparent == nil && md.Tracestate == nil &&
		md.IdempotencyKey == nil && md.Subscription == nil && md.Stream == nil && md.Epoch == nil &&
		!md.HasSeq && md.Credit == 0 && md.Gap == nil && md.Deliveries == 0 &&
		!md.Confirm && !md.More && !md.Redelivered && !md.Snapshot
}

// Timeout returns TimeoutMS as a duration, 0 if that is not positive, and the
// longest there is if it is more than that.
func (md *Metadata) Timeout() time.Duration {
	const longest = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(min(max(md.TimeoutMS, 0), longest)) * time.Millisecond
}

// Append appends md as a JSON object, "{}" if it is zero.
func (md *Metadata) Append(dst []byte) []byte {
	start := len(dst)
	if md.TimeoutMS != 0 {
		dst = strconv.AppendInt(append(dst, `,"timeoutMs":`...), md.TimeoutMS, 10)
	}
	if md.Traceparent != nil {
		dst = appendText(append(dst, `,"traceparent":`...), md.Traceparent)
	}
	if md.Tracestate != nil {
		dst = appendText(append(dst, `,"tracestate":`...), md.Tracestate)
	}
	if md.IdempotencyKey != nil {
		dst = appendText(append(dst, `,"idempotencyKey":`...), md.IdempotencyKey)
	}
	if md.Confirm {
		dst = append(dst, `,"confirm":true`...)
	}
	if md.Subscription != nil {
		dst = appendText(append(dst, `,"subscription":`...), md.Subscription)
	}
	if md.Stream != nil {
		dst = appendText(append(dst, `,"stream":`...), md.Stream)
	}
	if md.Epoch != nil {
		dst = appendText(append(dst, `,"epoch":`...), md.Epoch)
	}
	if md.HasSeq {
		dst = strconv.AppendUint(append(dst, `,"seq":`...), md.Seq, 10)
	}
	if md.More {
		dst = append(dst, `,"more":true`...)
	}
	if md.Credit != 0 {
		dst = strconv.AppendInt(append(dst, `,"credit":`...), md.Credit, 10)
	}
	if md.Gap != nil {
		dst = md.Gap.append(append(dst, `,"gap":`...))
	}
	if md.Redelivered {
		dst = append(dst, `,"redelivered":true`...)
	}
	if md.Deliveries != 0 {
		dst = strconv.AppendInt(append(dst, `,"deliveries":`...), md.Deliveries, 10)
	}
	if md.Snapshot {
		dst = append(dst, `,"snapshot":true`...)
	}
	return closeObject(dst, start)
}

func (g *Gap) append(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, `{"from":`...), g.From, 10)
	dst = strconv.AppendUint(append(dst, `,"to":`...), g.To, 10)
	dst = AppendString(append(dst, `,"reason":`...), g.Reason)
	if g.Count != 0 {
		dst = strconv.AppendUint(append(dst, `,"count":`...), g.Count, 10)
	}
	return append(dst, '}')
}
