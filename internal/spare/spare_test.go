package spare

import (
	"sync"
	"testing"
)

// empty makes the shelves as they are at the start.
func empty(t *testing.T) {
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for c := range shelves {
			shelves[c] = shelf{}
		}
		kept = 0
	})
}

func held() int {
	mu.Lock()
	defer mu.Unlock()
	return kept
}

func TestTakeHasRoomAndGiveKeepsIt(t *testing.T) {
	empty(t)
	for n := 1; n <= Largest; n *= 2 {
		for _, n := range []int{n - 1, n, n + 1, n + margin, n + margin + 1} {
			b := Take(n)
			if len(b) < n || len(b) > 2*max(n, Smallest) {
				t.Fatalf("asked for %d, got %d", n, len(b))
			}
			b[0] = 1
			Give(b)
			if len(b) > Largest {
				continue
			}
			again := Take(n)
			if &again[0] != &b[0] {
				t.Errorf("%d bytes were not kept", len(b))
			}
		}
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	empty(t)
	const size = 1<<20 + margin
	for range 2 * Most / size {
		Give(make([]byte, size))
	}
	Give(make([]byte, Largest+1))
	Give(make([]byte, Smallest+1)) // not from here
	if got := held(); got > Most || got <= Most-size {
		t.Errorf("%d bytes are kept, want as many as fit %d", got, Most)
	}
}

func TestWhatIsOfNoUseIsGivenUp(t *testing.T) {
	empty(t)
	for range 4 {
		Give(make([]byte, Smallest))
	}
	tick() // they have just come
	if got := held(); got != 4*Smallest {
		t.Fatalf("%d bytes are kept after the first tick", got)
	}
	Give(Take(Smallest)) // one is used
	tick()
	if got := held(); got != Smallest {
		t.Errorf("%d bytes are kept, want the one that was used", got)
	}
	tick()
	if got := held(); got != 0 {
		t.Errorf("%d bytes are kept in the end", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	empty(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				b := Take((Smallest - margin) << (i % 3))
				for at := 0; at < len(b); at += 4096 {
					b[at] = byte(i)
				}
				for at := 0; at < len(b); at += 4096 {
					if b[at] != byte(i) {
						t.Error("two have the same memory")
						return
					}
				}
				Give(b)
			}
		})
	}
	wg.Wait()
}
