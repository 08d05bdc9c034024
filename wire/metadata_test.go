package wire

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMetadataRoundTrip: whatever can be said is read as it was meant.
func TestMetadataRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) []byte {
			if !rapid.Bool().Draw(t, "has "+label) {
				return nil
			}
			return append([]byte{}, rapid.String().Draw(t, label)...)
		}
		flag := func(label string) bool { return rapid.Bool().Draw(t, label) }
		want := Metadata{
			TimeoutMS: rapid.Int64().Draw(t, "timeoutMs"), Traceparent: text("traceparent"), Tracestate: text("tracestate"),
			IdempotencyKey: text("idempotencyKey"), Subscription: text("subscription"), Stream: text("stream"), Epoch: text("epoch"),
			HasSeq: flag("has seq"), Credit: rapid.Int64().Draw(t, "credit"), Deliveries: rapid.Int64().Draw(t, "deliveries"),
			Confirm: flag("confirm"), More: flag("more"), Redelivered: flag("redelivered"), Snapshot: flag("snapshot"),
		}
		if want.HasSeq {
			want.Seq = rapid.Uint64().Draw(t, "seq")
		}
		if flag("has gap") {
			want.Gap = &Gap{
				From: rapid.Uint64().Draw(t, "from"), To: rapid.Uint64().Draw(t, "to"),
				Reason: rapid.String().Draw(t, "reason"), Count: rapid.Uint64().Draw(t, "count"),
			}
		}
		encoded := want.Append([]byte("before"))[len("before"):]
		var got Metadata
		if err := DefaultLimits.DecodeMetadata(encoded, &got); err != nil {
			t.Fatalf("%v in %s", err, encoded)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s (-want +got):\n%s", encoded, d)
		}
		if want.IsZero() != (string(encoded) == "{}") {
			t.Fatalf("IsZero is %t for %s", want.IsZero(), encoded)
		}
	})
}

// TestMetadataIsZero: each member alone is something to say.
func TestMetadataIsZero(t *testing.T) {
	text := []byte{}
	for _, md := range []Metadata{
		{TimeoutMS: 1}, {Traceparent: text}, {Tracestate: text}, {IdempotencyKey: text}, {Subscription: text}, {Stream: text}, {Epoch: text},
		{HasSeq: true}, {Credit: -1}, {Gap: &Gap{}}, {Deliveries: 2}, {Confirm: true}, {More: true}, {Redelivered: true}, {Snapshot: true},
	} {
		if encoded := string(md.Append(nil)); md.IsZero() || encoded == "{}" {
			t.Errorf("%+v is %s", md, encoded)
		}
	}
	if md := (Metadata{}); !md.IsZero() || string(md.Append(nil)) != "{}" {
		t.Error("nothing is something")
	}
}

func TestGapLost(t *testing.T) {
	for _, c := range []struct {
		gap  Gap
		want uint64
	}{
		{Gap{From: 5, To: 5}, 1},
		{Gap{From: 1, To: 6}, 6},
		{Gap{From: 1, To: 900, Count: 12}, 12},
		{Gap{}, 1},
		{Gap{From: 7, To: 6}, 0}, // from a peer that cannot count
		{Gap{From: 7, To: 6, Count: 2}, 2},
		{Gap{From: 0, To: math.MaxUint64}, math.MaxUint64},
		{Gap{From: 1, To: math.MaxUint64}, math.MaxUint64},
		{Gap{From: 2, To: math.MaxUint64}, math.MaxUint64 - 1},
	} {
		if got := c.gap.Lost(); got != c.want {
			t.Errorf("%+v: %d lost, want %d", c.gap, got, c.want)
		}
	}
}
