package plain

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// enclosures are the functions there are on this machine.
var enclosures = map[string]func([]byte) int{
	"Enclosed":      Enclosed,
	"enclosedBytes": enclosedBytes,
}

// checkEnclosed: of valid JSON the end is found whatever follows.
func checkEnclosed(t *testing.T, value string) {
	t.Helper()
	for _, after := range []string{"", "}", `]`, `,"more":"\""}`, strings.Repeat(`}]"`, 50)} {
		for name, run := range enclosures {
			text := []byte(value + after)
			if n := run(text); n != len(value) {
				t.Fatalf("%s: %d bytes, want %d, of %s", name, n, len(value), text)
			}
		}
	}
}

// TestEnclosed moves values over the borders between blocks.
func TestEnclosed(t *testing.T) {
	for _, value := range []string{
		`{}`, `[]`, `[[]]`, `{"a":{}}`, `["]"]`, `["\"]"]`, `["\\"]`, `["\\\"]",["\\\\"]]`, `{"}":"{","\"}":[{}]}`,
		`["[",{"é":"中"}]`, `[ 1 , [ 2 ] ]`, `["` + strings.Repeat(`\\`, 40) + `"]`, `["` + strings.Repeat(`\"`, 40) + `",[]]`,
		strings.Repeat("[", 70) + strings.Repeat("]", 70), strings.Repeat(`{"a":[`, 30) + strings.Repeat(`]}`, 30),
	} {
		for n := range 150 {
			checkEnclosed(t, `[`+strings.Repeat(" ", n)+value+`]`)
			checkEnclosed(t, `["`+strings.Repeat("x", n)+`",`+value+`]`)
			checkEnclosed(t, `[`+value+strings.Repeat(" ", n)+`]`)
		}
	}
}

// TestEnclosedBroken: what does not end has no end, and nothing beyond the
// text is looked at.
func TestEnclosedBroken(t *testing.T) {
	for _, value := range []string{`[`, `{"a":[]`, `["]`, `["\`, `["\"]`, `[[[]]`} {
		for n := range 150 {
			text := []byte(`[` + strings.Repeat(" ", n) + value + `]]]]`)
			text = text[:len(text)-4] // with the brackets behind it, in the same memory
			for name, run := range enclosures {
				if end := run(text); end != -1 {
					t.Fatalf("%s: %s ends at %d", name, text, end)
				}
			}
		}
	}
	for name, run := range enclosures {
		if end := run(nil); end != -1 {
			t.Errorf("%s: nothing ends at %d", name, end)
		}
	}
}

// FuzzEnclosed: the end of valid JSON is where it is, and both ways agree.
func FuzzEnclosed(f *testing.F) {
	f.Add([]byte(`{"a":["\\\"}",{"b":[]}],"c":"]"}`), uint64(1))
	f.Add([]byte(`[[[[]]]]`), uint64(2))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		// Any text at all: within its bounds.
		for name, run := range enclosures {
			if n := run(text); n < -1 || n > len(text) {
				t.Fatalf("%s: %d bytes of %d", name, n, len(text))
			}
		}
		rnd := rand.New(rand.NewPCG(seed, 1))
		inside := string(text)
		if !json.Valid(text) {
			quoted, _ := json.Marshal(inside)
			inside = string(quoted)
		}
		for range rnd.IntN(5) {
			space := strings.Repeat(" ", rnd.IntN(70))
			inside = []string{`[` + space + inside + `]`, `{"` + space + `":` + inside + `}`, `[{},` + space + inside + `]`}[rnd.IntN(3)]
		}
		checkEnclosed(t, `[`+inside+`]`)
	})
}

func BenchmarkEnclosed(b *testing.B) {
	value := `{"orderId":456,"customer":"Ada Lovelace","total":99.99,"items":["tea","rusk","jam"],"note":"parcel"}`
	for _, text := range []string{`{"id":1,"ok":true}`, value, `[` + strings.Repeat(value+",", 10000) + `0]`, `["` + strings.Repeat(`a line\n`, 1000) + `"]`} {
		for name, run := range enclosures {
			b.Run(fmt.Sprintf("%s/%d", name, len(text)), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				bytes := []byte(text)
				for b.Loop() {
					run(bytes)
				}
			})
		}
	}
}
