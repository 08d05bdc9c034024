package plain

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// slow says byte by byte what the others say in larger steps.
func slow(text []byte, ascii bool) int {
	for i, c := range text {
		if c < 0x20 || c == '"' || c == '\\' || ascii && c >= 0x80 {
			return i
		}
	}
	return len(text)
}

// ways are the functions there are on this machine, each with what it has to
// say.
var ways = map[string]struct {
	run   func([]byte) int
	ascii bool
}{
	"ASCII":      {ASCII, true},
	"asciiWords": {asciiWords, true},
	"asciiWide":  {func(text []byte) int { return wideOr(text, asciiWide, asciiWords) }, true},
	"Text":       {Text, false},
	"textWords":  {textWords, false},
	"textWide":   {func(text []byte) int { return wideOr(text, textWide, textWords) }, false},
}

func wideOr(text []byte, run func(*byte, int) int, short func([]byte) int) int {
	if !wide || len(text) < 32 {
		return short(text)
	}
	return run(&text[0], len(text))
}

func check(t *testing.T, text []byte) {
	t.Helper()
	for name, way := range ways {
		if n, want := way.run(text), slow(text, way.ascii); n != want {
			t.Fatalf("%s: %d plain bytes, want %d, at the front of %q", name, n, want, text)
		}
	}
}

// TestEveryPlace puts every byte at every place of texts of all lengths, with
// what would end the run as well all around the text.
func TestEveryPlace(t *testing.T) {
	for length := range 200 {
		around := bytes.Repeat([]byte{'"'}, length+64)
		text := around[32 : 32+length]
		for i := range text {
			text[i] = 'a'
		}
		check(t, text)
		for place := range text {
			for _, c := range []byte{0, 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 0x7f, 0x80, 0xa2, 0xdc, 0xff} {
				text[place] = c
				check(t, text)
			}
			text[place] = 'a'
		}
	}
	for c := range 256 {
		for _, others := range []string{"a", "\x7f", "\x80", "\xff", "\x00", "\"", "!", "]"} {
			check(t, bytes.Replace([]byte(strings.Repeat("a", 70)+others), []byte("aaa"), []byte{'a', byte(c), others[0]}, 1))
		}
	}
}

// TestWords holds the two word tests to what they promise about each byte.
func TestWords(t *testing.T) {
	if InText(ones*'a') != 0 || InASCII(ones*'a') != 0 || InText(ones*0xff) != 0 || InASCII(ones*0xff) == 0 {
		t.Error("a word of equal bytes is not seen for what it is")
	}
}

// TestShort: a short string ends where its quote is, and every other string
// is for somebody else.
func TestShort(t *testing.T) {
	for text, want := range map[string]int{
		`""        `: 1, `"a"       `: 2, `"1234567"`: 8, `"12345678"`: -1, `"a`: -1, `""`: -1, `"\"       `: -1,
		`"é"       `: -1, "\"\x00\"        ": -1, `"a b":"c" `: 4, ``: -1, `"`: -1,
	} {
		if got := Short([]byte(text), 1); got != want {
			t.Errorf("%q ends at %d, want %d", text, got, want)
		}
	}
}

// FuzzPlain: all ways to find the end of a run find the same one, wherever
// the text begins.
func FuzzPlain(f *testing.F) {
	f.Add([]byte(strings.Repeat("plain ", 40)+`"`), uint8(3))
	f.Add([]byte(strings.Repeat("é中😀", 20)+"\\"), uint8(0))
	f.Add([]byte("\x1f\x20\x21\x22"), uint8(1))
	f.Add(bytes.Repeat([]byte{'!'}, 131), uint8(31))
	f.Fuzz(func(t *testing.T, text []byte, from uint8) {
		check(t, text[min(int(from), len(text)):])
		// The same as the very end of a longer text.
		check(t, append(bytes.Repeat([]byte{'a'}, int(from)), text...))
	})
}

// BenchmarkRun has the end of the run within a longer text, as strings have
// the rest of their message behind them.
func BenchmarkRun(b *testing.B) {
	for _, size := range []int{4, 20, 36, 100, 1 << 20} {
		text := append(bytes.Repeat([]byte{'a'}, size), `","and":"so on, for as long as it takes to be longer than one step"}`...)
		for _, name := range []string{"ASCII", "asciiWords", "Text", "textWords"} {
			run := ways[name].run
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					run(text)
				}
			})
		}
	}
}
