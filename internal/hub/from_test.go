package hub

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// TestFrom subscribes to a stream of which 3 to 7 are kept, to one that keeps
// nothing and has had 7, and to one that has had none.
func TestFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := memoryLog(t, store.Limits{Messages: 5})
		h := New(&Options{Streams: []StreamOptions{{Name: "kept", Events: []string{"a", "b"}, Log: log}}})
		defer h.Close()
		var times [8]time.Time
		for i := 1; i <= 7; i++ {
			time.Sleep(time.Second) // the bubble's
			times[i] = time.Now()
			mustPublish(t, h, []string{"a", "b"}[i%2], fmt.Sprint(i))
			mustPublish(t, h, "live", fmt.Sprint(i))
		}
		kept, live := log.Epoch(), h.Epoch()
		cursor := func(epoch string, seq uint64) From { return From{Kind: FromCursor, Cursor: Cursor{epoch, seq}} }
		cursors := func(stream, epoch string, seq uint64) From {
			return From{Kind: FromCursors, Cursors: map[string]Cursor{stream: {epoch, seq}}}
		}
		for name, c := range map[string]struct {
			pattern string
			from    From
			want    uint64 // 0: code
			code    wire.Code
		}{
			"new":                        {"kept", From{}, 8, ""},
			"first":                      {"kept", From{Kind: FromFirst}, 3, ""},
			"last":                       {"kept", From{Kind: FromLast}, 7, ""},
			"last of one name":           {"a", From{Kind: FromLast}, 6, ""},
			"cursor":                     {"kept", cursor(kept, 4), 4, ""},
			"cursor of the first":        {"kept", cursor(kept, 3), 3, ""},
			"cursor of the next":         {"kept", cursor(kept, 8), 8, ""},
			"cursor removed":             {"kept", cursor(kept, 2), 0, wire.CodeCursorInvalid},
			"cursor too far":             {"kept", cursor(kept, 9), 0, wire.CodeCursorInvalid},
			"cursor of another epoch":    {"kept", cursor("x", 4), 0, wire.CodeCursorInvalid},
			"cursor of a pattern":        {"*", cursor(kept, 4), 0, wire.CodeInvalidArgument},
			"time":                       {"kept", From{Kind: FromTime, Time: times[5]}, 5, ""},
			"time between":               {"kept", From{Kind: FromTime, Time: times[5].Add(time.Millisecond)}, 6, ""},
			"time before all":            {"kept", From{Kind: FromTime, Time: times[1]}, 3, ""},
			"time to come":               {"kept", From{Kind: FromTime, Time: times[7].Add(time.Hour)}, 8, ""},
			"cursors":                    {"kept", cursors("kept", kept, 5), 5, ""},
			"cursors removed":            {"kept", cursors("kept", kept, 1), 3, ""},
			"cursors too far":            {"kept", cursors("kept", kept, 90), 8, ""},
			"cursors of another epoch":   {"kept", cursors("kept", "x", 5), 3, ""},
			"cursors of another stream":  {"kept", cursors("live", live, 5), 8, ""},
			"live first":                 {"live", From{Kind: FromFirst}, 0, wire.CodeInvalidArgument},
			"live last":                  {"live", From{Kind: FromLast}, 0, wire.CodeInvalidArgument},
			"live time":                  {"live", From{Kind: FromTime, Time: times[1]}, 0, wire.CodeInvalidArgument},
			"live cursor of the next":    {"live", cursor(live, 8), 8, ""},
			"live cursor":                {"live", cursor(live, 7), 0, wire.CodeCursorInvalid},
			"live cursors":               {"live", cursors("live", live, 3), 8, ""},
			"unborn first":               {"unborn", From{Kind: FromFirst}, 0, wire.CodeInvalidArgument},
			"unborn cursor of the next":  {"unborn", cursor(live, 1), 1, ""},
			"unborn cursor":              {"unborn", cursor(live, 7), 0, wire.CodeCursorInvalid},
			"unborn cursor, other epoch": {"unborn", cursor("x", 1), 0, wire.CodeCursorInvalid},
			"unborn cursors":             {"unborn", cursors("unborn", "x", 7), 1, ""},
		} {
			o, _ := newOutlet(h, nil)
			_, start, err := o.Subscribe(c.pattern, PolicyDropOldest, Separate{ID: "x", From: c.from})
			if c.want == 0 {
				if wire.CodeOf(err) != c.code {
					t.Errorf("%s: %v, want %s", name, err, c.code)
				}
			} else if err != nil || start.Seq != c.want {
				t.Errorf("%s: %+v, %v, want %d", name, start, err, c.want)
			}
			o.Close()
		}
	})
}

func TestFromFirstOfAPattern(t *testing.T) {
	log := memoryLog(t, store.Limits{})
	h := withStreams(t, StreamOptions{Name: "kept", Log: log})
	for range 3 {
		mustPublish(t, h, "kept", `0`)
		mustPublish(t, h, "live", `0`)
	}
	o, woken := newOutlet(h, nil)
	_, start := mustEnter(t, o, "**", Separate{ID: "x", From: From{Kind: FromFirst}})
	if start.Channels["kept"] != (Cursor{log.Epoch(), 1}) || start.Channels["live"] != (Cursor{h.Epoch(), 4}) {
		t.Errorf("it starts at %+v", start)
	}
	mustPublish(t, h, "live", `0`)
	got := map[string]int{}
	for _, it := range collect(t, o, woken, 4) {
		got[it.Channel]++
	}
	if got["events.kept"] != 3 || got["events.live"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestASnapshotComesFirst(t *testing.T) {
	log := memoryLog(t, store.Limits{})
	h := withStreams(t, StreamOptions{Name: "kept", Events: []string{"a"}, Log: log})
	for range 400 { // more than joins at once
		mustPublish(t, h, "kept", `0`)
	}
	o, woken := newOutlet(h, nil)
	from := From{Kind: FromCursor, Cursor: Cursor{log.Epoch(), 3}}
	mustEnter(t, o, "kept", Separate{ID: "x", From: from, Snapshot: []byte(`"state"`)})
	mustPublish(t, h, "kept", `1`)
	items := collect(t, o, woken, 400)
	if first := items[0]; !first.State || first.Seq != 2 || first.Data != `"state"` || first.Channel != "events.kept" || first.Tag != "x" {
		t.Errorf("it begins with %+v", first)
	}
	for i, it := range items[1:] {
		if it.Seq != uint64(i+3) || it.State {
			t.Fatalf("event %d is %+v", i, it)
		}
	}
	_, _, err := o.Subscribe("kept", PolicyDropOldest, Separate{From: from, Snapshot: make([]byte, DefaultMaxFrame)})
	if wire.CodeOf(err) != wire.CodeMessageTooLarge {
		t.Errorf("a state that is too long: %v", err)
	}
	if _, err := h.Publish(context.Background(), Publication{Name: "a"}); err != nil {
		t.Fatal(err)
	}
}

// lockedLog notes how many records are read while its stream is held up.
type lockedLog struct {
	store.Log
	stream *stream
	most   int
}

func (l *lockedLog) Read(dst []store.Record, from uint64, most, room int) ([]store.Record, error) {
	before := len(dst)
	dst, err := l.Log.Read(dst, from, most, room)
	if l.stream.mu.TryLock() {
		l.stream.mu.Unlock()
	} else {
		l.most = max(l.most, len(dst)-before)
	}
	return dst, err
}

// TestTheNewestIsLookedForWithoutHoldingUpAnybody looks for an event that
// there is not.
func TestTheNewestIsLookedForWithoutHoldingUpAnybody(t *testing.T) {
	log := &lockedLog{Log: memoryLog(t, store.Limits{})}
	h := withStreams(t, StreamOptions{Name: "s", Events: []string{"often", "never"}, Log: log, Dead: memoryLog(t, store.Limits{})})
	log.stream = h.topics.streams[0]
	for range 3000 {
		mustPublish(t, h, "often", `0`)
	}
	o, _ := newOutlet(h, nil)
	_, start := mustEnter(t, o, "never", Separate{ID: "x", From: From{Kind: FromLast}})
	team, err := h.Team("never", &GroupOptions{Name: "g", From: From{Kind: FromLast}})
	if err != nil {
		t.Fatal(err)
	}
	if start.Seq != 3001 || team.group.Floor() != 3001 {
		t.Errorf("it starts at %d, and the group at %d", start.Seq, team.group.Floor())
	}
	if log.most > 0 {
		t.Errorf("%d records were read while nothing could be published", log.most)
	}
}

// TestFromLastWhilePublishing has some events published between the look for
// the newest and the subscription. It never begins behind the newest one.
func TestFromLastWhilePublishing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := memoryLog(t, store.Limits{Messages: rapid.SampledFrom([]int64{0, 20}).Draw(t, "kept"), Dedupe: -1})
		h := New(&Options{Streams: []StreamOptions{{Name: "s", Events: []string{"a", "b"}, Log: log}}})
		defer h.Close()
		newest, last := uint64(0), uint64(0)
		publish := func(n int, label string) {
			for range n {
				name := rapid.SampledFrom([]string{"a", "b", "b", "b"}).Draw(t, label)
				mustPublishTo(t, h, name)
				if last++; name == "a" {
					newest = last
				}
			}
		}
		publish(rapid.IntRange(0, 100).Draw(t, "before"), "name before")
		from := h.Look("a", From{Kind: FromLast}, nil)
		since := rapid.SampledFrom([]int{0, 1, 10, newestRest, newestRest + 1, 100}).Draw(t, "since")
		publish(since, "name since")
		o, _ := newOutlet(h, nil)
		_, start := mustEnter(t, o, "a", Separate{ID: "x", From: from})
		first, next := log.Bounds()
		want := next
		if newest >= first {
			want = newest
		}
		if start.Seq > want || start.Seq < first || since <= newestRest && start.Seq != want && newest >= first {
			t.Fatalf("it starts at %d; the newest is %d, %d to %d are kept, and %d came since the look", start.Seq, newest, first, next, since)
		}
	})
}

func TestTheNewestOfLongEvents(t *testing.T) {
	h := withStreams(t, StreamOptions{Name: "s", Events: []string{"a", "b"}, Log: memoryLog(t, store.Limits{})})
	long := `"` + strings.Repeat("x", 200_000) + `"`
	mustPublish(t, h, "a", `0`)
	for range 30 {
		mustPublish(t, h, "b", long)
	}
	mustPublish(t, h, "a", `0`)
	o, _ := newOutlet(h, nil)
	if _, start := mustEnter(t, o, "a", Separate{ID: "x", From: From{Kind: FromLast}}); start.Seq != 32 {
		t.Errorf("it starts at %d", start.Seq)
	}
}

// TestASnapshotComesFirstWithAWindow has the past ready before anything is
// sent, and all the room of the receiver used up for it.
func TestASnapshotComesFirstWithAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := memoryLog(t, store.Limits{})
		h := New(&Options{Streams: []StreamOptions{{Name: "kept", Log: log}}})
		defer h.Close()
		for range 1000 {
			mustPublish(t, h, "kept", `0`)
		}
		o, _ := newOutlet(h, nil)
		from := From{Kind: FromCursor, Cursor: Cursor{log.Epoch(), 3}}
		mustEnter(t, o, "kept", Separate{ID: "x", From: from, Window: 4 * EventCost, Snapshot: []byte(`"state"`)})
		synctest.Wait()
		items := decodeAll(t, o.AppendTo(nil, 1<<20))
		if len(items) != 4 || !items[0].State || items[1].Seq != 3 || items[3].Seq != 5 {
			t.Errorf("it begins with %+v", items)
		}
	})
}
