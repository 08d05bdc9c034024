package wire

import (
	"bytes"
	"reflect"
	"testing"
)

func FuzzMetadata(f *testing.F) {
	for _, c := range readVectors[metadataVector](f, "metadata").Cases {
		f.Add(c.bytes(f))
	}
	for _, number := range []string{"1", "0", "05", "999999999", "1000000000", "-1", "5.0", "5e3", "", "null", "x"} {
		f.Add([]byte(`{"timeoutMs":` + number + `}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, l := range []*Limits{nil, {MaxTokens: 2}} {
			// White space before it leads past the short cut, to the same result.
			var md, general Metadata
			err, expected := l.DecodeMetadata(raw, &md), l.DecodeMetadata(append([]byte{' '}, raw...), &general)
			if CodeOf(err) != CodeOf(expected) || !reflect.DeepEqual(md, general) {
				t.Fatalf("%+v, %v; with a space before it %+v, %v", md, err, general, expected)
			}
		}
		var md Metadata
		if err := DefaultLimits.DecodeMetadata(raw, &md); err != nil {
			if !md.IsZero() {
				t.Fatalf("left %+v behind", md)
			}
			return
		}
		if err := DefaultLimits.Valid(raw); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		encoded := md.Append(nil)
		var again Metadata
		if err := DefaultLimits.DecodeMetadata(encoded, &again); err != nil {
			t.Fatalf("%v in its own encoding %s", err, encoded)
		}
		if twice := again.Append(nil); !bytes.Equal(twice, encoded) {
			t.Fatalf("%s became %s, then %s", raw, encoded, twice)
		}
		if md.IsZero() != (string(encoded) == "{}") || md.Timeout() < 0 {
			t.Fatalf("IsZero %t, Timeout %v of %s", md.IsZero(), md.Timeout(), encoded)
		}
	})
}

func FuzzError(f *testing.F) {
	for _, c := range readVectors[errorVector](f, "error").Cases {
		f.Add(c.bytes(f))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := DecodeError(raw)
		if e == nil || e.Code == "" || e.Error() == "" {
			t.Fatalf("read as %v", e)
		}
		encoded := e.AppendJSON(nil)
		if _, err := oracle(encoded); err != nil {
			t.Fatalf("%v in its own encoding %s", err, encoded)
		}
		if DefaultLimits.Valid(encoded) != nil {
			return // larger than what was read: the defaults are written out
		}
		again := DecodeError(encoded)
		if again.Code != e.Code || again.Message != e.Message || again.Details.Executed != e.Details.Executed ||
			again.Details.Retryable != e.Details.Retryable || again.Details.Path != e.Details.Path {
			t.Fatalf("%s became %s", raw, encoded)
		}
		if twice := again.AppendJSON(nil); !bytes.Equal(twice, encoded) {
			t.Fatalf("%s became %s, then %s", raw, encoded, twice)
		}
	})
}

func FuzzString(f *testing.F) {
	for _, c := range readVectors[encodeVector](f, "encode").Cases {
		if c.String != nil {
			f.Add(*c.String)
		}
	}
	f.Add("a\xffb\xed\xa0\x80\xe4\xb8")
	f.Fuzz(func(t *testing.T, s string) {
		got := AppendString([]byte("x"), s)
		if other := AppendString([]byte("x"), []byte(s)); !bytes.Equal(got, other) {
			t.Fatalf("%s from text, %s from bytes", got, other)
		}
		if err := DefaultLimits.Valid(got[1:]); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		// Each byte that is not UTF-8 counts as one U+FFFD.
		want := string([]rune(s))
		if text, ok := oracleText(string(got[1:])); !ok || text != want {
			t.Fatalf("%q became %s, which is %q", s, got[1:], text)
		}
	})
}
