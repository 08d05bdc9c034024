package hub

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// merger is a receiver of subscriptions that become plain ones.
type merger struct {
	patterns map[string]wire.Pattern
	plain    map[string]map[string]uint64   // where that begins, by stream
	heard    map[string]map[string][]uint64 // by subscription and stream
}

func (m *merger) wants(id, name, stream string) bool {
	return m.patterns[id].Match(name) || m.patterns[id].String() == stream
}

// take notes whose a message is, as a client would.
func (m *merger) take(t *testing.T, message []byte) {
	var w wire.Message
	var md wire.Metadata
	if err := wire.DefaultLimits.Decode(message, &w); err != nil {
		t.Fatal(err)
	}
	if err := wire.DefaultLimits.DecodeMetadata(w.Metadata, &md); err != nil {
		t.Fatal(err)
	}
	tag, name := string(md.Subscription), strings.TrimPrefix(string(w.Channel), "events.")
	stream := name
	if md.Stream != nil {
		stream = string(md.Stream)
	}
	switch {
	case md.Gap != nil:
		t.Errorf("a gap: %s", message)
	case name == "ipc.plain":
		var places map[string]uint64
		if err := json.Unmarshal(w.Data, &places); err != nil || m.plain[tag] != nil {
			t.Errorf("it is told %s", message)
		}
		m.plain[tag] = places
	case tag != "":
		if m.plain[tag] != nil {
			t.Errorf("%s comes when the subscription is a plain one", message)
		}
		m.heard[tag][stream] = append(m.heard[tag][stream], md.Seq)
	default:
		for id, places := range m.plain {
			if m.wants(id, name, stream) && md.Seq >= places[stream] {
				m.heard[id][stream] = append(m.heard[id][stream], md.Seq)
			}
		}
	}
}

func placesOf(_, _ string, start Start) []byte {
	places := map[string]uint64{start.Stream: start.Seq}
	for stream, c := range start.Channels {
		places[stream] = c.Seq
	}
	data, _ := json.Marshal(places)
	return data
}

// TestWhatHasCaughtUpSharesItsEvents resumes subscriptions that overlap while
// events are published. Each hears all of them, once and in order, at first
// under its id and then together with the others.
func TestWhatHasCaughtUpSharesItsEvents(t *testing.T) {
	log, _ := store.NewMemory().Log("orders", store.Limits{})
	h := withStreams(t, StreamOptions{Name: "orders", Events: []string{"order.a", "order.b"}, Log: log})
	var published []Receipt // what and where; by the publisher
	names := []string{"order.a", "order.b", "tick"}
	publish := func() {
		name := names[len(published)%3]
		r, err := h.Publish(t.Context(), Publication{Name: name, Data: []byte("1")})
		if err != nil {
			t.Error(err)
		}
		published = append(published, r)
	}
	for range 300 {
		publish()
	}
	m := &merger{patterns: map[string]wire.Pattern{}, plain: map[string]map[string]uint64{}, heard: map[string]map[string][]uint64{}}
	out, woken := newOutlet(h, &OutletOptions{Merged: placesOf})
	for id, pattern := range map[string]string{"c1": "orders", "c2": "order.*", "c3": "order.b", "c4": "**", "c5": "tick"} {
		m.patterns[id], _ = wire.ParsePattern(pattern)
		m.heard[id] = map[string][]uint64{}
		from := From{Kind: FromCursors, Cursors: map[string]Cursor{"orders": {Epoch: log.Epoch(), Seq: 1}}}
		mustEnter(t, out, pattern, Separate{ID: id, From: from, Plain: true})
	}
	merged, done := make(chan struct{}), make(chan struct{})
	turns := make(chan struct{}, 64) // so that the reader keeps up
	go func() {
		defer close(done)
		for i := 0; i < 300; {
			select {
			case <-merged:
				i++
			case <-turns:
			}
			publish()
		}
	}()
	turns <- struct{}{}
	for over := false; !over; {
		select {
		case <-woken:
		case <-done:
			over = true
		}
		all := len(m.plain) == len(m.patterns)
		for frames := out.AppendTo(nil, 1<<20); len(frames) > 0; frames = out.AppendTo(nil, 1<<20) {
			for len(frames) > 0 {
				size := headerSize + frameSize(frames)
				m.take(t, frames[headerSize:size])
				frames = frames[size:]
			}
			for range 8 {
				select {
				case turns <- struct{}{}:
				default:
				}
			}
		}
		if !all && len(m.plain) == len(m.patterns) {
			close(merged)
		}
	}
	want := map[string]map[string][]uint64{}
	for id := range m.patterns {
		want[id] = map[string][]uint64{}
		for i, r := range published {
			if m.wants(id, names[i%3], r.Stream) && (i >= 300 || r.Stream == "orders") {
				want[id][r.Stream] = append(want[id][r.Stream], r.Seq)
			}
		}
	}
	if diff := cmp.Diff(want, m.heard); diff != "" {
		t.Error(diff)
	}
	if all := out.All(); len(all) != len(m.patterns) {
		t.Errorf("there are %+v", all)
	}
	if delivered := out.plain.Stats().Delivered; delivered < 200 {
		t.Errorf("%d were shared", delivered)
	}
	if _, _, err := out.Subscribe("tick", PolicyDropOldest, Separate{ID: "c5"}); wire.CodeOf(err) != wire.CodeAlreadyExists {
		t.Errorf("the same id again: %v", err)
	}
	for id, p := range m.patterns {
		if ended := out.Unsubscribe(id); len(ended) != 1 || ended[0] != (Ended{ID: id, Pattern: p.String()}) {
			t.Errorf("%s ends as %+v", id, ended)
		}
	}
	if all := out.All(); len(all) != 0 {
		t.Errorf("left are %+v", all)
	}
}
