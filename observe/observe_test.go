package observe

import (
	"sync"
	"testing"
)

func TestTap(t *testing.T) {
	var tap Tap
	if tap.On() || (*Tap)(nil).On() {
		t.Error("a tap nobody listens to is on")
	}
	var got []string
	stopOne := tap.Listen(func(e *Event) { got = append(got, "one "+string(e.Frame)) })
	stopTwo := tap.Listen(func(e *Event) { got = append(got, "two "+e.Direction.String()) })
	tap.Emit(&Event{Frame: []byte("a")})
	stopOne()
	stopOne() // again does nothing
	tap.Emit(&Event{Frame: []byte("b"), Direction: Received})
	stopTwo()
	tap.Emit(&Event{Frame: []byte("c")})
	(*Tap)(nil).Emit(&Event{})
	want := []string{"one a", "two sent", "two received"}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if tap.On() {
		t.Error("a tap whose readers have gone is on")
	}
}

func TestTapMayChangeWhileItIsUsed(t *testing.T) {
	var tap Tap
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				stop := tap.Listen(func(*Event) {})
				tap.Emit(&Event{})
				stop()
			}
		})
	}
	wg.Wait()
	if tap.On() {
		t.Error("still on")
	}
}

func BenchmarkNobodyListens(b *testing.B) {
	var tap Tap
	for b.Loop() {
		if tap.On() {
			tap.Emit(&Event{})
		}
	}
}
