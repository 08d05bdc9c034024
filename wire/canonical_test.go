package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// decodeGeneral is Decode without its short cut.
func decodeGeneral(l *Limits, frame []byte, m *Message) error {
	*m = Message{}
	s := newScanner(frame, l)
	s.message(0, m)
	err := s.release()
	if err != nil {
		*m = Message{MessageID: m.MessageID}
	}
	return err
}

// checkCanonical: whether a message goes the short way or not is nobody's
// business, and neither is how far it went.
func checkCanonical(t *testing.T, l *Limits, frame []byte) {
	t.Helper()
	var got, want Message
	err, expected := l.Decode(frame, &got), decodeGeneral(l, frame, &want)
	if !reflect.DeepEqual(err, expected) {
		t.Fatalf("Decode says %#v, the general reader %#v\n%q", err, expected, frame)
	}
	if !(&messageCheck{got, want}).equal() {
		t.Fatalf("Decode reads\n%+v, the general reader\n%+v\n%q", got, want, frame)
	}
	if isCanonical(l, frame) && err != nil {
		t.Fatalf("taken for canonical, but %v\n%q", err, frame)
	}
}

// isCanonical reports whether a frame goes the short way to its end.
func isCanonical(l *Limits, frame []byte) bool {
	s := newScanner(frame, l)
	_, whole := s.canonical(new(Message))
	s.release()
	return whole
}

// canonicalFrames are messages with each combination of members, in the order
// of canonicalOrder.
func canonicalFrames() (frames []string) {
	members := []string{
		`"messageId":"3f2b8a44-90c1-4d2e-8a77-0b1c2d3e4f50"`, `"channel":"a.b"`, `"action":""`, `"data":{"a":[1,{}]}`,
		`"timestamp":"2026-11-22T12:00:00.123Z"`, `"correlationId":"c"`, `"error":{"code":"X"}`, `"metadata":{}`,
	}
	for _, kind := range []string{"request", "response", "event"} {
		for set := range 1 << len(members) {
			frame := `{"type":"` + kind + `"`
			for k, member := range members {
				if set>>k&1 == 1 {
					frame += "," + member
				}
			}
			frames = append(frames, frame+"}")
		}
	}
	return frames
}

// TestCanonical: what Append writes goes the short way, whatever members it
// has; and every text that is one byte away from it is read as the general
// reader does.
func TestCanonical(t *testing.T) {
	for _, frame := range canonicalFrames() {
		if len(frame) >= 20 && !isCanonical(nil, []byte(frame)) {
			t.Errorf("not taken for canonical: %s", frame)
		}
		checkCanonical(t, nil, []byte(frame))
	}
	full := typicalRequest[:len(typicalRequest)-1] + `,"metadata":{"more":true},"new":1}`
	for _, frame := range []string{typicalRequest, full, canonicalFrames()[255]} {
		for i := range frame {
			checkCanonical(t, nil, []byte(frame[:i]))
			for _, c := range []string{"", `"`, `\`, "\x00", "é", "\xff", " ", ",", "}", "null", `"data":1,`} {
				checkCanonical(t, nil, []byte(frame[:i]+c+frame[i:]))
				checkCanonical(t, nil, []byte(frame[:i]+c+frame[i+1:]))
			}
		}
	}
}

// TestCanonicalTwice: a member that canonical has read must not come again,
// in whatever spelling, behind what it has read.
func TestCanonicalTwice(t *testing.T) {
	for _, frame := range canonicalFrames() {
		for _, name := range canonicalOrder {
			for _, name := range []string{name, `\u00` + string("0123456789abcdef"[name[0]>>4]) + string("0123456789abcdef"[name[0]&15]) + name[1:]} {
				twice := strings.TrimSuffix(frame, "}") + `,"` + name + `":null}`
				checkCanonical(t, nil, []byte(twice))
				checkCanonical(t, nil, []byte(strings.Replace(twice, "null}", "\"\"\n}", 1)))
			}
		}
	}
}

// TestCanonicalLimits: limits are met at the same place on either way.
func TestCanonicalLimits(t *testing.T) {
	for _, frame := range []string{typicalRequest, canonicalFrames()[255], canonicalFrames()[255+1]} {
		for n := range 40 {
			for _, l := range []*Limits{{MaxTokens: n}, {MaxMembers: n}, {MaxDepth: n}} {
				checkCanonical(t, l, []byte(frame))
				checkCanonical(t, l, []byte(strings.Replace(frame, "}", ` ,"x":0}`, 1)))
				checkCanonical(t, l, []byte(frame+" \n"))
			}
		}
	}
}

// FuzzCanonical: the same message or the same failure for any text.
func FuzzCanonical(f *testing.F) {
	for _, c := range readVectors[messageVector](f, "message").Cases {
		if raw := c.bytes(f); len(raw) < 2000 {
			f.Add(raw)
		}
	}
	for _, c := range readVectors[valueVector](f, "value").Cases {
		if raw := c.bytes(f); len(raw) < 2000 {
			f.Add(bytes.Join([][]byte{[]byte(`{"type":"event","data":`), raw, []byte(`}`)}, nil))
		}
	}
	for _, frame := range canonicalFrames()[255:260] {
		f.Add([]byte(frame))
	}
	f.Add([]byte(typicalRequest))
	f.Fuzz(func(t *testing.T, frame []byte) {
		checkCanonical(t, nil, frame)
		checkCanonical(t, &tight, frame)
	})
}
