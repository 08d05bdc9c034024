package script

import (
	"errors"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

// input reads stdin for the app, a piece each time it asks, so that an app
// that never asks takes nothing from whoever reads stdin next.
type input struct {
	mu      sync.Mutex // one reader at a time
	partial []byte     // the beginning of a character
	from    io.Reader  // nil until the app asks
}

func (a *app) opStdin(*operation) {
	if a.input.from == nil {
		a.input.from = a.Stdin
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		text, err := a.input.read()
		a.inbox.put(func(dst []byte) []byte {
			dst = append(dst, `"stdin",`...)
			switch {
			case len(text) > 0 || err == nil:
				return appendText(dst, string(text))
			case errors.Is(err, io.EOF):
				return append(dst, "null"...)
			}
			return appendText(append(dst, "null,"...), err.Error())
		})
	}()
	a.workers.Go(func() {
		select {
		case <-read:
		case <-a.life.Done():
			// A read of a terminal cannot be called off: it is left behind,
			// as any program that ends leaves it.
		}
	})
}

// read returns the next piece of whole characters.
func (in *input) read() ([]byte, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	buffer := make([]byte, 64<<10)
	for {
		n, err := in.from.Read(buffer)
		text := append(in.partial, buffer[:n]...)
		in.partial = nil
		if err == nil {
			whole := wholeCharacters(text)
			in.partial = append(in.partial, text[whole:]...)
			text = text[:whole]
		}
		if len(text) > 0 || err != nil {
			return text, err
		}
	}
}

// wholeCharacters returns how much of text does not end within a character.
func wholeCharacters(text []byte) int {
	for i := len(text) - 1; i >= 0 && i >= len(text)-3; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return i
			}
			break
		}
	}
	return len(text)
}

// close calls off a read that waits, where the system can.
func (in *input) close() {
	f, ok := in.from.(interface{ SetReadDeadline(time.Time) error })
	if !ok || f.SetReadDeadline(time.Now()) != nil {
		return
	}
	in.mu.Lock() // the read is over
	defer in.mu.Unlock()
	f.SetReadDeadline(time.Time{})
}
