package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"
)

type metadataVector struct {
	Name string `json:"name"`
	vectorInput
	Code     Code            `json:"code,omitempty"`
	Metadata *metadataFields `json:"metadata,omitempty"`
	Encoded  string          `json:"encoded,omitempty"`
}

// metadataFields is a Metadata with its numbers as text.
type metadataFields struct {
	TimeoutMS      string     `json:"timeoutMs,omitempty"`
	Traceparent    *string    `json:"traceparent,omitempty"`
	Tracestate     *string    `json:"tracestate,omitempty"`
	IdempotencyKey *string    `json:"idempotencyKey,omitempty"`
	Confirm        bool       `json:"confirm,omitempty"`
	Subscription   *string    `json:"subscription,omitempty"`
	Stream         *string    `json:"stream,omitempty"`
	Epoch          *string    `json:"epoch,omitempty"`
	Seq            *string    `json:"seq,omitempty"`
	More           bool       `json:"more,omitempty"`
	Credit         string     `json:"credit,omitempty"`
	Gap            *gapFields `json:"gap,omitempty"`
	Redelivered    bool       `json:"redelivered,omitempty"`
	Deliveries     string     `json:"deliveries,omitempty"`
	Snapshot       bool       `json:"snapshot,omitempty"`
}

type gapFields struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Reason string `json:"reason"`
	Count  string `json:"count,omitempty"`
}

func (f *metadataFields) check(t *testing.T, md *Metadata) {
	t.Helper()
	checkText(t, "traceparent", md.Traceparent, f.Traceparent)
	checkText(t, "tracestate", md.Tracestate, f.Tracestate)
	checkText(t, "idempotencyKey", md.IdempotencyKey, f.IdempotencyKey)
	checkText(t, "subscription", md.Subscription, f.Subscription)
	checkText(t, "stream", md.Stream, f.Stream)
	checkText(t, "epoch", md.Epoch, f.Epoch)
	if md.HasSeq != (f.Seq != nil) || f.Seq != nil && strconv.FormatUint(md.Seq, 10) != *f.Seq {
		t.Errorf("seq is %d (%t)", md.Seq, md.HasSeq)
	}
	checkInteger(t, "timeoutMs", md.TimeoutMS, f.TimeoutMS)
	checkInteger(t, "credit", md.Credit, f.Credit)
	checkInteger(t, "deliveries", md.Deliveries, f.Deliveries)
	if md.More != f.More || md.Redelivered != f.Redelivered {
		t.Errorf("more is %t, redelivered is %t", md.More, md.Redelivered)
	}
	if md.Confirm != f.Confirm || md.Snapshot != f.Snapshot {
		t.Errorf("confirm is %t, snapshot is %t", md.Confirm, md.Snapshot)
	}
	var gap *gapFields
	if g := md.Gap; g != nil {
		gap = &gapFields{From: strconv.FormatUint(g.From, 10), To: strconv.FormatUint(g.To, 10), Reason: g.Reason}
		if g.Count != 0 {
			gap.Count = strconv.FormatUint(g.Count, 10)
		}
	}
	if (gap == nil) != (f.Gap == nil) || gap != nil && *gap != *f.Gap {
		t.Errorf("gap is %v, want %v", gap, f.Gap)
	}
}

func checkInteger(t *testing.T, field string, got int64, want string) {
	t.Helper()
	if want == "" {
		want = "0"
	}
	if strconv.FormatInt(got, 10) != want {
		t.Errorf("%s is %d, want %s", field, got, want)
	}
}

func TestVectorsMetadata(t *testing.T) {
	file := readVectors[metadataVector](t, "metadata")
	for k := range file.Cases {
		c := &file.Cases[k]
		t.Run(c.Name, func(t *testing.T) {
			var md Metadata
			err := DefaultLimits.DecodeMetadata(c.bytes(t), &md)
			if checkCode(t, err, c.Code); err != nil {
				if !md.IsZero() {
					t.Errorf("left %+v behind", md)
				}
				return
			}
			c.Metadata.check(t, &md)
			encoded := md.Append(nil)
			checkEncoded(t, &c.Encoded, encoded)
			if md.IsZero() != (string(encoded) == "{}") {
				t.Errorf("IsZero is %t for %s", md.IsZero(), encoded)
			}
			var again Metadata
			checkCode(t, DefaultLimits.DecodeMetadata(encoded, &again), "")
			c.Metadata.check(t, &again)
		})
	}
	writeVectors(t, "metadata", file)
}

type errorVector struct {
	Name string `json:"name"`
	vectorInput
	Code    Code         `json:"code,omitempty"`
	Error   *errorFields `json:"error,omitempty"`
	Encoded string       `json:"encoded,omitempty"`
}

type errorFields struct {
	Code         Code     `json:"code"`
	Message      string   `json:"message"`
	Executed     Executed `json:"executed,omitempty"`
	Retryable    bool     `json:"retryable"`
	RetryAfterMS int64    `json:"retryAfterMs,omitempty"`
	Origin       Origin   `json:"origin,omitempty"`
	Path         string   `json:"path,omitempty"`
	More         string   `json:"more,omitempty"` // as compact JSON with sorted names
}

func fieldsOf(t *testing.T, e *Error) errorFields {
	f := errorFields{
		Code: e.Code, Message: e.Message,
		Executed: e.Details.Executed, Retryable: e.Details.Retryable,
		RetryAfterMS: int64(e.Details.RetryAfter / time.Millisecond),
		Origin:       e.Details.Origin, Path: e.Details.Path,
	}
	if e.Details.More != nil {
		raw, err := json.Marshal(e.Details.More)
		if err != nil {
			t.Fatal(err)
		}
		f.More = string(raw)
	}
	return f
}

func TestVectorsError(t *testing.T) {
	file := readVectors[errorVector](t, "error")
	for k := range file.Cases {
		c := &file.Cases[k]
		t.Run(c.Name, func(t *testing.T) {
			e := DecodeError(c.bytes(t))
			if c.Error == nil {
				checkCode(t, e, c.Code)
				return
			}
			if got := fieldsOf(t, e); got != *c.Error {
				t.Errorf("read as\n%+v, want\n%+v", got, *c.Error)
			}
			encoded := e.AppendJSON(nil)
			checkEncoded(t, &c.Encoded, encoded)
			if got := fieldsOf(t, DecodeError(encoded)); got != *c.Error {
				t.Errorf("after encoding read as\n%+v, want\n%+v", got, *c.Error)
			}
		})
	}
	writeVectors(t, "error", file)
}

type encodeVector struct {
	Name string `json:"name"`
	UUID *struct {
		Hi string `json:"hi"`
		Lo string `json:"lo"`
	} `json:"uuid,omitempty"`
	UnixMilli *string `json:"unixMilli,omitempty"`
	String    *string `json:"string,omitempty"`
	Text      string  `json:"text"`
}

func TestVectorsEncode(t *testing.T) {
	var stamper Stamper // one for all: its cache must not show
	for _, c := range readVectors[encodeVector](t, "encode").Cases {
		t.Run(c.Name, func(t *testing.T) {
			var got []byte
			switch {
			case c.UUID != nil:
				var hi, lo uint64
				if _, err := fmt.Sscanf(c.UUID.Hi+" "+c.UUID.Lo, "%x %x", &hi, &lo); err != nil {
					t.Fatal(err)
				}
				got = AppendUUID(nil, hi, lo)
			case c.UnixMilli != nil:
				ms, err := strconv.ParseInt(*c.UnixMilli, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				got = stamper.Append(nil, ms)
			case c.String != nil:
				got = AppendString(nil, *c.String)
			}
			if string(got) != c.Text {
				t.Errorf("got %s, want %s", got, c.Text)
			}
		})
	}
}
