package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestFifo lets a fifo and a slice run side by side.
func TestFifo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f fifo[int]
		var model []int
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.IntRange(1, 2*segmentLen).Draw(t, "n") {
					next++
					if p := f.push(); *p != 0 {
						t.Fatalf("a new element is %d", *p)
					}
					*f.at(f.length - 1) = next
					model = append(model, next)
				}
			},
			"pop": func(t *rapid.T) {
				for range rapid.IntRange(0, len(model)).Draw(t, "n") {
					f.pop()
					model = model[1:]
				}
			},
			"": func(t *rapid.T) {
				got := make([]int, 0, f.length)
				for i := range f.length {
					got = append(got, *f.at(i))
				}
				if !slices.Equal(got, model) {
					t.Fatalf("%v, want %v", got, model)
				}
			},
		})
	})
}
