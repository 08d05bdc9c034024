package wire

import (
	"reflect"
	"strings"
	"testing"
)

// shaped returns an event as an encoder of events makes it.
func shaped(id, channel, data, stamp string, md *Metadata) []byte {
	m := Message{Type: TypeEvent, MessageID: []byte(id), Channel: []byte(channel), Data: []byte(data), Timestamp: []byte(stamp), Metadata: md.Append(nil)}
	return m.Append(nil)
}

func someEvent(seq uint64, data string) []byte {
	return shaped("0b9c4b2e-1111-4222-8333-444455556666", "events.order.completed", data, "2026-11-22T12:00:00.123Z",
		&Metadata{Seq: seq, HasSeq: true, Epoch: []byte("k3x"), Stream: []byte("orders"), Subscription: []byte("c1")})
}

// learned returns the shape of someEvent.
func learned(t testing.TB) *Shape {
	t.Helper()
	var m Message
	var md Metadata
	frame := someEvent(7, `{"a":1}`)
	if err := DefaultLimits.Decode(frame, &m); err != nil {
		t.Fatal(err)
	}
	if err := DefaultLimits.DecodeMetadata(m.Metadata, &md); err != nil {
		t.Fatal(err)
	}
	sh := new(Shape)
	sh.Learn(&DefaultLimits, frame, &m, &md)
	if sh.middle == nil {
		t.Fatal("nothing was learned")
	}
	return sh
}

// checkShape compares Shape.Decode with the ordinary way.
func checkShape(t testing.TB, sh *Shape, frame []byte) (ok bool) {
	t.Helper()
	var m, want Message
	var md, wantMD Metadata
	if !sh.Decode(&DefaultLimits, frame, &m, &md, false) {
		return false
	}
	if other := someEvent(1, `0`); !sh.Decode(&DefaultLimits, other, &m, &md, true) || !sh.Decode(&DefaultLimits, frame, &m, &md, true) {
		t.Fatalf("not taken again: %q", frame)
	}
	if err := DefaultLimits.Decode(frame, &want); err != nil {
		t.Fatalf("accepted %q, which is not valid: %v", frame, err)
	}
	if err := DefaultLimits.DecodeMetadata(want.Metadata, &wantMD); err != nil {
		t.Fatalf("accepted %q, whose metadata is not valid: %v", frame, err)
	}
	if !reflect.DeepEqual(m, want) || !reflect.DeepEqual(md, wantMD) {
		t.Fatalf("%q\n got %+v %+v\nwant %+v %+v", frame, m, md, want, wantMD)
	}
	return true
}

func TestShapeDecodesWhatItKnows(t *testing.T) {
	sh := learned(t)
	for _, data := range []string{`1`, `{"a":1}`, `"\u00e4"`, `[1,{"timestamp":"2026-11-22T12:00:00.123Z","metadata":{"seq":5}}]`, `null`} {
		for _, seq := range []uint64{0, 1, 9, 10, 1<<63 - 1} {
			if !checkShape(t, sh, someEvent(seq, data)) {
				t.Errorf("seq %d, data %s: not taken", seq, data)
			}
		}
	}
}

func TestShapeLeavesWhatItDoesNotKnow(t *testing.T) {
	sh := learned(t)
	good := string(someEvent(5, `{"a":1}`))
	for _, frame := range []string{
		"", "{}", good + " ", " " + good, good[:len(good)-1],
		strings.Replace(good, "k3x", "k3y", 1),
		strings.Replace(good, "order.completed", "order.cancelled", 1),
		strings.Replace(good, `"seq":5`, `"seq":05`, 1),
		strings.Replace(good, `"seq":5`, `"seq":-5`, 1),
		strings.Replace(good, `"seq":5`, `"seq":99999999999999999999`, 1),
		strings.Replace(good, `"seq":5`, `"seq":5,"redelivered":true`, 1),
		strings.Replace(good, `{"a":1}`, `{"a":1}}`, 1),
		strings.Replace(good, `{"a":1}`, `{"a":1},"data":2`, 1),
		strings.Replace(good, `{"a":1}`, `{"a":1,"a":2}`, 1),
		strings.Replace(good, `{"a":1}`, ` {"a":1}`, 1),
		strings.Replace(good, `{"a":1}`, "\"\xff\"", 1),
		strings.Replace(good, `{"a":1}`, ``, 1),
		strings.Replace(good, "0b9c4b2e", `0b9c"b2e`, 1),
		strings.Replace(good, "12:00:00", "12\":00:0", 1),
	} {
		if checkShape(t, sh, []byte(frame)) && frame != strings.Replace(good, `{"a":1}`, ` {"a":1}`, 1) {
			t.Errorf("taken: %s", frame)
		}
	}
}

func TestShapeLearnsEventsOnly(t *testing.T) {
	for _, text := range []string{
		`{"type":"request","messageId":"0b9c4b2e-1111-4222-8333-444455556666","channel":"a.b","data":1,"metadata":{"seq":1}}`,
		`{"type":"event","messageId":"0b9c4b2e-1111-4222-8333-444455556666","channel":"events.a","timestamp":"2026-11-22T12:00:00.123Z","metadata":{"epoch":"e","seq":1}}`,
		`{"type":"event","messageId":"short-id-12","channel":"events.a","data":1,"timestamp":"2026-11-22T12:00:00.123Z","metadata":{"epoch":"e","seq":1}}`,
		`{"type":"event","messageId":"0b9c4b2e-1111-4222-8333-444455556666","channel":"events.a","data":1,"timestamp":"2026-11-22T12:00:00.123Z","metadata":{"epoch":"e","seq":1,"redelivered":true}}`,
	} {
		var m Message
		var md Metadata
		if err := DefaultLimits.Decode([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		if err := DefaultLimits.DecodeMetadata(m.Metadata, &md); err != nil {
			t.Fatal(err)
		}
		sh := new(Shape)
		if sh.Learn(&DefaultLimits, []byte(text), &m, &md); sh.middle != nil {
			t.Errorf("learned %s", text)
		}
	}
}

func FuzzShape(f *testing.F) {
	f.Add(someEvent(5, `{"a":1}`))
	f.Add(someEvent(50, `"x"`))
	f.Fuzz(func(t *testing.T, frame []byte) { checkShape(t, learned(t), frame) })
}

func BenchmarkShape(b *testing.B) {
	sh := learned(b)
	frame := someEvent(123456, `{"orderId":456,"total":99.99,"customer":"somebody with a name","items":["first","second","third"],"x":1}`)
	var m Message
	var md Metadata
	b.Run("shape", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !sh.Decode(&DefaultLimits, frame, &m, &md, true) {
				b.Fatal("not taken")
			}
		}
	})
	b.Run("ordinary", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			DefaultLimits.Decode(frame, &m)
			DefaultLimits.DecodeMetadata(m.Metadata, &md)
		}
	})
}
