package hub

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/store"
)

// slowReader is a receiver of one separate subscription that has a window: it
// has what came and was not read yet, and tells how much it has read.
type slowReader struct {
	out     *Outlet
	woken   chan struct{}
	window  int
	unread  []int // what each event counts for
	held    int   // the sum of it
	longest int   // of what came
	owed    int   // read, and not told
	next    map[string]uint64
	lost    []item
}

func newSlowReader(h *Hub, window int) *slowReader {
	r := &slowReader{window: window, next: map[string]uint64{}}
	r.out, r.woken = newOutlet(h, nil)
	return r
}

// receive takes what the hub sends, of which there must not be more than the
// window and one event.
func (r *slowReader) receive(t tb, most int) {
	t.Helper()
	for _, it := range decodeAll(t, r.out.AppendTo(nil, most)) {
		stream := it.Stream
		if stream == "" {
			stream = strings.TrimPrefix(it.Channel, "events.")
		}
		switch {
		case it.Seq == 0:
			r.lost = append(r.lost, it)
			r.next[stream] = it.Gap.To + 1
			continue
		case it.Seq != r.next[stream]:
			t.Fatalf("%s: %d comes, and %d is next", stream, it.Seq, r.next[stream])
		}
		r.next[stream]++
		cost := max(len(it.Data), EventCost)
		r.unread = append(r.unread, cost)
		r.held += cost
		r.longest = max(r.longest, cost)
		if r.held+r.owed >= r.window+r.longest {
			t.Fatalf("%d events wait to be read that count for %d, and %d were read and are owed; the window is %d, the longest event %d",
				len(r.unread), r.held, r.owed, r.window, r.longest)
		}
	}
}

// read reads at most n events.
func (r *slowReader) read(n int) {
	for ; n > 0 && len(r.unread) > 0; n-- {
		r.held -= r.unread[0]
		r.owed += r.unread[0]
		r.unread = r.unread[1:]
	}
	if r.owed >= r.window/4 {
		r.out.Grant("x", int64(r.owed))
		r.owed = 0
	}
}

// TestAWindowHoldsForAllEvents has one subscription hear several streams: of
// some it is given what is kept, which takes its time, while on others, and
// on the same ones, more is published. Whatever they are, no more events are
// sent than the reader has room for, and none is lost.
func TestAWindowHoldsForAllEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var streams []StreamOptions
		for i := range rapid.IntRange(1, 4).Draw(t, "streams") {
			o := StreamOptions{Name: fmt.Sprint("s", i), Events: []string{fmt.Sprint("e", i)}}
			if i == 0 || rapid.Bool().Draw(t, "kept") {
				o.Log = memoryLog(t, store.Limits{Dedupe: -1})
			}
			streams = append(streams, o)
		}
		h := New(&Options{Streams: streams})
		defer h.Close()
		last := map[string]uint64{}
		publish := func(name string, n int) {
			for range n {
				size := rapid.SampledFrom([]int{0, 0, 0, 100, 1000, 5000}).Draw(t, "size")
				data := []byte(`"` + strings.Repeat("x", size) + `"`)
				r, err := h.Publish(t.Context(), Publication{Name: name, Data: data})
				if err != nil {
					t.Fatalf("publish %s: %v", name, err)
				}
				last[r.Stream] = r.Seq
			}
		}
		some := func() string {
			s := rapid.SampledFrom(streams).Draw(t, "stream")
			return rapid.SampledFrom([]string{s.Name, s.Events[0]}).Draw(t, "name")
		}
		for range rapid.IntRange(0, 4).Draw(t, "runs") {
			publish(some(), rapid.SampledFrom([]int{1, 10, 300}).Draw(t, "before"))
		}
		window := rapid.SampledFrom([]int{1, 256, 2000, 20_000, 1 << 20}).Draw(t, "window")
		r := newSlowReader(h, window)
		_, start := mustEnter(t, r.out, "*", Separate{ID: "x", From: From{Kind: FromFirst}, Window: window})
		for _, s := range streams {
			r.next[s.Name] = 1
			if c, listed := start.Channels[s.Name]; listed {
				r.next[s.Name] = c.Seq
			}
		}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			publish(some(), rapid.SampledFrom([]int{0, 1, 5, 40}).Draw(t, "publish"))
			r.receive(t, rapid.SampledFrom([]int{0, 5000, 1 << 20}).Draw(t, "receive"))
			r.read(rapid.SampledFrom([]int{0, 1, 10, 1000}).Draw(t, "read"))
		}
		missing := func() bool {
			for stream, seq := range last {
				if r.next[stream] <= seq {
					return true
				}
			}
			return false
		}
		for missing() {
			r.receive(t, 1<<20)
			r.read(1000)
			if missing() && !r.out.Pending() {
				<-r.woken
			}
		}
		if len(r.lost) > 0 {
			t.Fatalf("lost: %+v", r.lost)
		}
	})
}

// TestABusyStreamLeavesSomeOfTheWindow has a subscription hear one stream on
// which more is published than it reads, and another one's long past: that is
// read to its end all the same.
func TestABusyStreamLeavesSomeOfTheWindow(t *testing.T) {
	const past, window = 2000, 64 * EventCost
	h := withStreams(t, StreamOptions{Name: "busy"}, StreamOptions{Name: "kept", Log: memoryLog(t, store.Limits{})})
	for range past {
		mustPublish(t, h, "kept", `0`)
	}
	r := newSlowReader(h, window)
	mustEnter(t, r.out, "*", Separate{ID: "x", From: From{Kind: FromFirst}, Window: window})
	r.next = map[string]uint64{"busy": 1, "kept": 1}
	for r.next["kept"] <= past {
		for range 100 {
			mustPublish(t, h, "busy", `0`)
		}
		seen := r.next["kept"]
		for len(r.unread) < 64 && r.next["kept"] == seen { // the past comes from a goroutine
			r.receive(t, 1<<20)
			if len(r.unread) < 64 && !r.out.Pending() {
				<-r.woken
			}
		}
		for _, gap := range r.lost { // of the busy stream, and it is told
			if gap.Channel != "events.busy" {
				t.Fatalf("lost: %+v", gap)
			}
		}
		r.read(32)
	}
}

func TestGrantsDoNotAddUpWithoutEnd(t *testing.T) {
	var p pace
	p.init(1000)
	p.grant(1 << 62)
	p.grant(1 << 62)
	if left := p.left.Load(); left != maxWindow {
		t.Errorf("%d are left", left)
	}
	p.grant(-5)
	if left := p.left.Load(); left != maxWindow {
		t.Errorf("%d are left after a grant that is none", left)
	}
}
