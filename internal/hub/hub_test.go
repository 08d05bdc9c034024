package hub

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

func TestPublishMakesOneWholeFrame(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 123_000_000, time.UTC)
	h := New(&Options{Now: func() time.Time { return at }})
	s := h.Attach(nil)
	mustSubscribe(t, s, "user.created")
	mustPublish(t, h, "user.created", `{"id":1}`)

	frames := s.AppendTo([]byte("before"), 1<<20)
	rest, ok := bytes.CutPrefix(frames, []byte("before"))
	if !ok {
		t.Fatalf("AppendTo did not append: %q", frames)
	}
	id := decode(t, rest[headerSize:]).ID
	want := fmt.Sprintf(`{"type":"event","messageId":"%s","channel":"events.user.created","data":{"id":1},`+
		`"timestamp":"2026-11-22T12:00:00.123Z","metadata":{"epoch":"%s","seq":1}}`, id, h.Epoch())
	if got := string(rest[headerSize:]); got != want {
		t.Errorf("frame\n got %s\nwant %s", got, want)
	}
	if got := binary.LittleEndian.Uint32(rest); int(got) != len(want) {
		t.Errorf("header says %d, the message has %d bytes", got, len(want))
	}
}

func TestEventWithoutData(t *testing.T) {
	h := New(nil)
	s := h.Attach(nil)
	mustSubscribe(t, s, "**")
	for _, data := range [][]byte{nil, {}} {
		if _, err := h.Publish(context.Background(), Publication{Name: "tick", Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	for _, it := range drain(t, s) {
		if it.Data != "" {
			t.Errorf("data %q", it.Data)
		}
	}
}

func TestSubscribersShareTheFrame(t *testing.T) {
	h := New(nil)
	a, b := h.Attach(nil), h.Attach(nil)
	mustSubscribe(t, a, "x.y")
	mustSubscribe(t, b, "x.**")
	mustPublish(t, h, "x.y", `1`)
	first, _ := a.Next()
	second, _ := b.Next()
	if &first[0] != &second[0] {
		t.Error("the event was encoded twice")
	}
}

func TestPublishTellsSequenceAndReceivers(t *testing.T) {
	h := New(nil)
	a, b := h.Attach(nil), h.Attach(nil)
	mustSubscribe(t, a, "user.*")
	mustSubscribe(t, b, "user.created")
	for _, step := range []struct {
		name      string
		seq       uint64
		receivers int
	}{
		{"user.created", 1, 2},
		{"events.user.created", 2, 2}, // its channel, meaning the same
		{"user.updated", 1, 1},
		{"order.created", 1, 0},
		{"order.created", 2, 0},
	} {
		seq, receivers := mustPublish(t, h, step.name, `0`)
		if seq != step.seq || receivers != step.receivers {
			t.Errorf("%s: sequence %d to %d receivers, want %d to %d", step.name, seq, receivers, step.seq, step.receivers)
		}
	}
}

func TestSeveralMatchingSubscriptionsDeliverOnce(t *testing.T) {
	h := New(nil)
	s := h.Attach(nil)
	for _, pattern := range []string{"a.b", "a.b", "a.*", "*.b", "**", "a.**", "events.a.b"} {
		mustSubscribe(t, s, pattern)
	}
	if _, receivers := mustPublish(t, h, "a.b", `1`); receivers != 1 {
		t.Errorf("%d receivers", receivers)
	}
	if got := drain(t, s); len(got) != 1 {
		t.Errorf("delivered %d times", len(got))
	}
}

func TestUnsubscribeEndsDelivery(t *testing.T) {
	h := New(nil)
	s := h.Attach(nil)
	literal, _ := mustSubscribe(t, s, "a.b")
	pattern, _ := mustSubscribe(t, s, "a.*")
	mustPublish(t, h, "a.b", `1`)
	if !s.Unsubscribe(literal) || s.Unsubscribe(literal) {
		t.Error("a subscription ends exactly once")
	}
	mustPublish(t, h, "a.b", `2`)
	s.Unsubscribe(pattern)
	mustPublish(t, h, "a.b", `3`)
	got := drain(t, s)
	if len(got) != 2 || got[0].Data != `1` || got[1].Data != `2` {
		t.Errorf("delivered %v", got)
	}
	if other := h.Attach(nil); other.Unsubscribe(literal) {
		t.Error("another subscriber's id was accepted")
	}
}

func TestStartIsWhereDeliveryBegins(t *testing.T) {
	h := New(nil)
	s := h.Attach(nil)
	_, start := mustSubscribe(t, s, "new.channel")
	if diff := cmp.Diff(Start{Cursor: Cursor{h.Epoch(), 1}, Stream: "new.channel"}, start); diff != "" {
		t.Error(diff)
	}
	for range 3 {
		mustPublish(t, h, "a.x", `0`)
	}
	mustPublish(t, h, "a.y", `0`)
	mustPublish(t, h, "b.x", `0`)
	if _, start = mustSubscribe(t, s, "a.x"); start.Seq != 4 {
		t.Errorf("literal starts at %d", start.Seq)
	}
	_, start = mustSubscribe(t, s, "a.*")
	want := Start{
		Cursor:   Cursor{h.Epoch(), 1},
		Channels: map[string]Cursor{"a.x": {h.Epoch(), 4}, "a.y": {h.Epoch(), 2}},
	}
	if diff := cmp.Diff(want, start); diff != "" {
		t.Error(diff)
	}
	mustPublish(t, h, "a.y", `0`)
	if got := drain(t, s); len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("delivered %v", got)
	}
}

func TestSubscribeRefuses(t *testing.T) {
	h := New(&Options{MaxSubscriptions: 2})
	s := h.Attach(nil)
	for _, pattern := range []string{"", "a..b", "a.**.b", "a.*b", strings.Repeat("a.", 16) + "a", "*.*.*.*.*"} {
		if _, _, err := s.Subscribe(pattern, nil); !errors.Is(err, wire.CodeInvalidPattern) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	id, _ := mustSubscribe(t, s, "a")
	mustSubscribe(t, s, "b")
	_, _, err := s.Subscribe("c", nil)
	var coded *wire.Error
	if !errors.As(err, &coded) || coded.Code != wire.CodeQuotaExceeded || coded.Details.More["limit"] != 2 {
		t.Errorf("over the quota: %v", err)
	}
	s.Unsubscribe(id)
	mustSubscribe(t, s, "c")
}

func TestPublishRefuses(t *testing.T) {
	h := New(&Options{MaxFrame: 4096})
	s := h.Attach(nil)
	mustSubscribe(t, s, "**")
	for _, name := range []string{"", "a..b", "a b", "*", "a.**"} {
		if _, err := h.Publish(context.Background(), Publication{Name: name, Data: nil}); !errors.Is(err, wire.CodeInvalidName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	long := []byte(`"` + strings.Repeat("x", 4096-EnvelopeRoom-2) + `"`)
	longest := strings.Repeat(strings.Repeat("n", 16)+".", 15)
	if _, err := h.Publish(context.Background(), Publication{Name: longest[:254], Data: append(long, ' ')}); !errors.Is(err, wire.CodeMessageTooLarge) {
		t.Errorf("data over the limit: %v", err)
	}
	mustPublish(t, h, longest[:254], string(long))
	if frame, _ := s.Next(); len(frame) > 4096 {
		t.Errorf("a frame of %d bytes", len(frame))
	}
	if st := h.Stats(); st.Published != 1 {
		t.Errorf("refused events were counted: %+v", st)
	}
}

func TestNotifyComesOncePerFilling(t *testing.T) {
	h := New(nil)
	var s *Subscriber
	calls := 0
	s = h.Attach(func() {
		calls++
		if !s.Pending() {
			t.Error("notified with nothing waiting")
		}
		// No lock of the hub is held: all of it may be used.
		s.Stats()
		h.Stats()
		if id, _, err := s.Subscribe("again", nil); err != nil || !s.Unsubscribe(id) {
			t.Error("the hub is not free while notify runs")
		}
	})
	mustSubscribe(t, s, "a")
	for range 5 {
		mustPublish(t, h, "a", `0`)
	}
	if calls != 1 {
		t.Errorf("%d calls for one filling", calls)
	}
	s.Next()
	mustPublish(t, h, "a", `0`)
	if calls != 1 {
		t.Errorf("%d calls, though something waited all the time", calls)
	}
	drain(t, s)
	mustPublish(t, h, "a", `0`)
	if calls != 2 {
		t.Errorf("%d calls for two fillings", calls)
	}
}

func TestAppendToKeepsToMaxBytes(t *testing.T) {
	h := New(nil)
	s := h.Attach(nil)
	mustSubscribe(t, s, "a")
	for i := range 200 {
		mustPublish(t, h, "a", fmt.Sprintf(`"%0*d"`, 1+i%50, i))
	}
	var got []item
	for s.Pending() {
		buf := s.AppendTo(make([]byte, 7, 64), 1000)[7:]
		if len(buf) > 1000 {
			t.Fatalf("%d bytes", len(buf))
		}
		got = append(got, decodeAll(t, buf)...)
	}
	for i, it := range got {
		if it.Seq != uint64(i+1) {
			t.Fatalf("event %d has sequence %d", i, it.Seq)
		}
	}
	if len(got) != 200 {
		t.Errorf("%d events", len(got))
	}
	// One longer than maxBytes comes alone.
	mustPublish(t, h, "a", `"`+strings.Repeat("x", 2000)+`"`)
	mustPublish(t, h, "a", `1`)
	if got := decodeAll(t, s.AppendTo(nil, 1000)); len(got) != 1 {
		t.Errorf("%d events instead of the long one alone", len(got))
	}
}

func TestCloseEndsEverything(t *testing.T) {
	h := New(nil)
	s := h.Attach(nil)
	id, _ := mustSubscribe(t, s, "a")
	mustSubscribe(t, s, "b.*")
	mustPublish(t, h, "a", `1`)
	mustPublish(t, h, "a", `2`)
	s.Next()
	s.Close()
	s.Close()
	if _, ok := s.Next(); ok || s.Pending() {
		t.Error("something waits after Close")
	}
	if _, receivers := mustPublish(t, h, "a", `3`); receivers != 0 {
		t.Error("published to a closed subscriber")
	}
	if _, _, err := s.Subscribe("a", nil); !errors.Is(err, ErrClosed) || !errors.Is(s.Err(), ErrClosed) {
		t.Errorf("Subscribe %v, Err %v", err, s.Err())
	}
	if s.Unsubscribe(id) {
		t.Error("a subscription survived")
	}
	want := Stats{Channels: 1, Published: 3, Offered: 2, Delivered: 1, Dropped: 1}
	if diff := cmp.Diff(want, h.Stats()); diff != "" {
		t.Error(diff)
	}
	if x := &h.index; len(x.literals) != 0 || !x.patterns.root.empty() || len(x.subscribers) != 0 {
		t.Error("the index is not empty")
	}
}

func TestClosedSubscribersAreNotKeptAlive(t *testing.T) {
	h := New(nil)
	collected := make(chan struct{})
	func() {
		connection := new([64]byte)
		runtime.AddCleanup(connection, func(int) { close(collected) }, 0)
		s := h.Attach(func() { connection[0]++ })
		mustSubscribe(t, s, "quiet")
		mustPublish(t, h, "quiet", `0`) // the topic remembers the subscriber
		s.Close()
	}()
	for late := time.After(20 * time.Second); ; {
		runtime.GC()
		select {
		case <-collected:
			runtime.KeepAlive(h)
			return
		case <-late:
			t.Fatal("a closed subscriber's notify is still held")
		default:
		}
	}
}

// TestTheLongestEnvelope has everything about an event as long as it can be:
// the room that is kept for it is enough.
func TestTheLongestEnvelope(t *testing.T) {
	const most = 4096
	name := strings.Repeat("n", 127) + "." + strings.Repeat("m", 127)
	stream := strings.Repeat("s", 127) + "." + strings.Repeat("t", 127)
	idsOf := map[string]int{"i": 128, `"`: 64, "\x01": 21, "é": 64} // as many as fit
	for char := range idsOf {
		id := strings.Repeat(char, idsOf[char])
		log := memoryLog(t, store.Limits{})
		h := New(&Options{MaxFrame: most, Streams: []StreamOptions{{Name: stream, Events: []string{name}, Log: log, Dead: memoryLog(t, store.Limits{})}}})
		defer h.Close()
		data := []byte(`"` + strings.Repeat("x", most-EnvelopeRoom-2) + `"`)
		if _, err := h.Publish(context.Background(), Publication{Name: name, Data: data, ID: id + char}); wire.CodeOf(err) != wire.CodeInvalidArgument {
			t.Errorf("an id of one more %q: %v", char, err)
		}
		if _, err := h.Publish(context.Background(), Publication{Name: name, Data: data, ID: id}); err != nil {
			t.Fatal(err)
		}
		team, err := h.Team(stream, &GroupOptions{Name: "g", From: From{Kind: FromFirst}})
		if err != nil {
			t.Fatal(err)
		}
		o, woken := newOutlet(h, nil)
		tag := strings.Repeat("t", 64)
		mustEnter(t, o, stream, Separate{ID: tag, Team: team})
		for range 2 {
			frame := o.AppendTo(nil, 1<<20)
			for len(frame) == 0 {
				<-woken
				frame = o.AppendTo(nil, 1<<20)
			}
			if len(frame)-headerSize > most {
				t.Fatalf("ids of %q: a frame of %d bytes", char, len(frame)-headerSize)
			}
			if unknown, err := o.Settle(tag, Settlement{Kind: Nak, Seqs: []uint64{1}}); err != nil || unknown != nil {
				t.Fatalf("%v, %v", unknown, err)
			}
		}
	}
}
