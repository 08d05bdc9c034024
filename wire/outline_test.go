package wire

import (
	"fmt"
	"strings"
	"testing"
)

// outlined reads value along the outline of another one that is valid.
func outlined(t *testing.T, of, value string, l *Limits) bool {
	t.Helper()
	o := outlineOf([]byte(of))
	if o == nil {
		t.Fatalf("%s has no outline", of)
	}
	s := newScanner([]byte(value), l)
	defer s.release()
	return o.within(s) && s.along(o, 0) == len(value)
}

func TestOutline(t *testing.T) {
	const of = `{"id":1,"name":"Ada","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true}`
	for value, want := range map[string]bool{
		of: true,
		`{"id":22,"name":"Grace Hopper, rear admiral","tags":["","é中"],"at":{"x":0,"y":1E+9},"ok":null}`: true,
		`{"id":"1","name":null,"tags":[1,false],"at":{"x":"","y":"\n"},"ok":"yes"}`:                      true,
		`{"id":1,"name":"Ada","tags":["a"],"at":{"x":-1.5e3,"y":0},"ok":true}`:                           false,
		`{"id":1,"nome":"Ada","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true}`:                       false,
		`{"id":{},"name":"Ada","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true}`:                      false,
		`{"id":01,"name":"Ada","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true}`:                      false,
		`{"id":1,"name":"A` + "\x01" + `a","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true}`:          false,
		`{"id":1,"name":"A` + "\xff" + `a","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true}`:          false,
		`{"id":1,"name":"\ud800","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true}`:                    false,
		`{"id":1,"name":"Ada","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":true`:                        false,
		`{"id":1,"name":"Ada","tags":["a","b"],"at":{"x":-1.5e3,"y":0},"ok":`:                            false,
		`{"id":1,"name":"Ada`: false,
		``:                    false,
	} {
		if got := outlined(t, of, value, nil); got != want {
			t.Errorf("%s: %t", value, got)
		}
	}
}

// TestOutlineLimits: what an outline lets pass is within the limits, to the
// last value, member and level.
func TestOutlineLimits(t *testing.T) {
	const value = `{"id":1,"name":"Ada","tags":["a",["b"]]}`
	for l, want := range map[Limits]bool{
		{MaxTokens: 10, MaxMembers: 3, MaxDepth: 3}: true,
		{MaxTokens: 9, MaxMembers: 3, MaxDepth: 3}:  false,
		{MaxTokens: 10, MaxMembers: 2, MaxDepth: 3}: false,
		{MaxTokens: 10, MaxMembers: 3, MaxDepth: 2}: false,
	} {
		if got := outlined(t, value, value, &l); got != want || (l.Valid([]byte(value)) == nil) != want {
			t.Errorf("%+v: %t, and Valid says %v", l, got, l.Valid([]byte(value)))
		}
	}
}

// TestNoOutline: what is large, or has escapes, is not remembered.
func TestNoOutline(t *testing.T) {
	for _, value := range []string{
		`["` + `\n` + `"]`,
		`{"` + `\u0061` + `":1}`,
		`[[[[[[[[[1]]]]]]]]]`,
		`[7` + strings.Repeat(",7", outlineScalars) + `]`,
		`{"` + strings.Repeat("a", outlineText) + `":1}`,
	} {
		if o := outlineOf([]byte(value)); o != nil {
			t.Errorf("%s has an outline of %d parts", value, len(o.parts))
		}
	}
}

// TestValuesLikeEachOther has values of one outline read often enough that it
// is known for certain, and then wrong ones: they are refused as ever.
func TestValuesLikeEachOther(t *testing.T) {
	for i := range 400 * learnOneIn {
		value := fmt.Sprintf(`{"orderOf":%d,"customer":"number %d","paid":%t}`, i, i, i%2 == 0)
		if err := DefaultLimits.Valid([]byte(value)); err != nil {
			t.Fatalf("%s: %v", value, err)
		}
	}
	for _, wrong := range []string{
		`{"orderOf":01,"customer":"x","paid":true}`,
		`{"orderOf":1,"customer":"x","paid":true}}`,
		`{"orderOf":1,"customer":"x","paid":maybe}`,
		`{"orderOf":1,"customer":"x","orderOf":true}`,
	} {
		err := DefaultLimits.Valid([]byte(wrong))
		if CodeOf(err) != CodeMalformedMessage {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// FuzzOutline: a value that is like a good one is as good, by a reader that is
// not ours, and exactly as large.
func FuzzOutline(f *testing.F) {
	for _, value := range []string{
		`{"id":1,"name":"Ada","tags":["a","b"],"ok":true}`, `[1,[2,{"a":null}],"é"]`, ` `, `[]`, `{"a":{"a":{}},"b":[{}]}`,
	} {
		f.Add([]byte(value), []byte(value), uint8(3), byte('7'))
	}
	f.Fuzz(func(t *testing.T, of, value []byte, at uint8, by byte) {
		if DefaultLimits.Valid(of) != nil || len(of) == 0 || of[0] != '{' && of[0] != '[' {
			return
		}
		o := outlineOf(of)
		if o == nil {
			return
		}
		changed := append([]byte(nil), of...)
		changed[int(at)%len(of)] = by
		for _, text := range [][]byte{value, changed} {
			s := newScanner(text, nil)
			if end := s.along(o, 0); end >= 0 {
				is, err := oracle(text[:end])
				if err != nil {
					t.Fatalf("%s passes for one like %s: %v", text[:end], of, err)
				}
				if want := (size{o.depth, o.members, o.tokens}); is != want {
					t.Fatalf("%s is %+v, by the outline of %s %+v", text[:end], is, of, want)
				}
			}
			s.release()
		}
		if s := newScanner(of, nil); s.along(o, 0) < 0 || s.release() != nil {
			t.Fatalf("%s is not like itself", of)
		}
	})
}
