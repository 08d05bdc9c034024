package ipc

import (
	"reflect"
	"testing"
	"time"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/wire"
)

// refusalCodes are what may be wrong with options and acknowledgements.
var refusalCodes = map[Code]bool{
	wire.CodeInvalidArgument: true, wire.CodeSchemaMismatch: true, wire.CodeCursorInvalid: true, wire.CodeChannelNotFound: true,
	wire.CodeConflict: true, wire.CodeQuotaExceeded: true, wire.CodeInvalidPattern: true,
}

// checkRefusal makes sure that a refusal can be sent, and is one of those.
func checkRefusal(t *testing.T, data []byte, err *Error) {
	t.Helper()
	if text := err.AppendJSON(nil); !refusalCodes[err.Code] || wire.DefaultLimits.Valid(text) != nil || len(text) > 2000 {
		t.Fatalf("%s is refused with %.300s", data, text)
	}
}

// fromAgain is the "from" that means f.
func fromAgain(f hub.From, snapshot bool) any {
	switch {
	case snapshot:
		return fromSnapshot
	case f.Kind == hub.FromFirst:
		return "first"
	case f.Kind == hub.FromLast:
		return "last"
	case f.Kind == hub.FromCursor:
		return cursorText(f.Cursor)
	case f.Kind == hub.FromTime:
		return map[string]string{"time": f.Time.Format(time.RFC3339Nano)}
	case f.Kind == hub.FromCursors:
		streams := map[string]cursorText{}
		for name, c := range f.Cursors {
			streams[name] = cursorText(c)
		}
		return map[string]any{"streams": streams}
	}
	return "new"
}

// FuzzSubscribeOptions: the data of a subscribe message is refused with a
// code, or means the same when it is written anew.
func FuzzSubscribeOptions(f *testing.F) {
	for _, text := range []string{
		`{}`, `null`, `5`, `{"from":"new"}`, `{"from":"first","filter":"a > 1 && b startsWith \"c\"","onSlow":"disconnect"}`, `{"from":"last","window":512}`,
		`{"from":"snapshot","subscription":"mine"}`, `{"from":{"epoch":"k3x","seq":7},"group":"packers","credit":10,"ackWaitMs":30000}`,
		`{"from":{"time":"2026-11-25T12:00:00.5+01:00"},"durable":"audit"}`, `{"from":{"streams":{"tick":{"epoch":"k3x","seq":7},"jobs":{"epoch":"x","seq":1}}}}`,
		`{"from":{"epoch":"k3x","seq":-7}}`, `{"from":[],"group":"a","durable":"b"}`, `{"from":"éééééééééééééééééééééééééééééééééééééééééééééééééééé"}`,
		`{"from": {"epoch" : "" } }`, `{"credit":1e3}`, `{"from":"nowhere","filter":"(((("}`,
	} {
		f.Add([]byte(text))
	}
	m, err := ParseManifest([]byte(`{"service": {"name": "fuzz", "version": "1.0.0"}, "events": {"tick": {}},
		"channels": {"jobs": {"type": "queue"}, "news": {"type": "broadcast"}, "past": {"retention": {"maxMessages": 10}}}}`))
	if err != nil {
		f.Fatal(err)
	}
	s := NewService(m, nil)
	f.Cleanup(func() { s.Shutdown(f.Context()) })
	f.Fuzz(func(t *testing.T, data []byte) {
		var w, again wish
		if payload.Valid(data) != nil || Raw(data).Decode(&w) != nil {
			return
		}
		text, err := appendJSON(nil, w)
		if err == nil {
			err = Raw(text).Decode(&again)
		}
		if err != nil {
			t.Fatalf("%s is accepted, and written %s, %v", data, text, err)
		}
		if from, snapshot, refused := w.from(); refused != nil {
			checkRefusal(t, data, refused)
		} else {
			if again.From, err = appendJSON(nil, fromAgain(from, snapshot)); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			fromToo, snapshotToo, refused := again.from()
			if refused != nil || !sameFrom(from, fromToo) || snapshot != snapshotToo {
				t.Fatalf("%s begins at %+v, and %s at %+v, %v", data, from, again.From, fromToo, refused)
			}
		}
		w.From, again.From = nil, nil
		if !reflect.DeepEqual(w, again) {
			t.Fatalf("%s is %+v, and %s %+v", data, w, text, again)
		}
		for _, pattern := range []string{"tick", "jobs", "news", "past", "*"} {
			var whole wish
			if Raw(data).Decode(&whole) != nil {
				t.Fatalf("%s is accepted no more", data)
			}
			if _, _, refused := s.separate(pattern, &whole); refused != nil {
				checkRefusal(t, data, refused)
			}
		}
	})
}

func sameFrom(a, b hub.From) bool {
	same := a.Time.Equal(b.Time)
	a.Time, b.Time = time.Time{}, time.Time{}
	return same && reflect.DeepEqual(a, b)
}

// FuzzAcknowledgement: what a member says of messages is refused with a code,
// or means the same when it is written anew.
func FuzzAcknowledgement(f *testing.F) {
	for _, text := range []string{
		`{"subscription":"mine","seq":1}`, `[{"subscription":"mine","seqs":[1,2,18446744073709551615]}]`, `{"subscription":"mine","seq":1,"delayMs":500}`,
		`{"subscription":"mine","seq":1,"reason":"é"}`, `{"subscription":"mine","seq":0,"seqs":[0]}`, `null`, `[]`, `[1,2]`, `{"seq":-1}`, ``,
		`{"subscription":"mine","seq":1,"delayMs":-9223372036854775808}`, `{"subscription":"mine","seq":1,"delayMs":9223372036854775807}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 0 && payload.Valid(data) != nil {
			return
		}
		v, what, refused := settlementOf(hub.Nak, data)
		if refused != nil {
			checkRefusal(t, data, refused)
			return
		}
		if len(what.Seqs) == 0 || len(what.Seqs) > MaxCredit || what.Delay < 0 || what.Delay > hub.MaxDelay || v.Subscription == "" {
			t.Fatalf("%s means %+v", data, what)
		}
		text, err := appendJSON(nil, v)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if _, again, refused := settlementOf(hub.Nak, text); refused != nil || !reflect.DeepEqual(what, again) {
			t.Fatalf("%s means %+v, and %s %+v, %v", data, what, text, again, refused)
		}
	})
}
