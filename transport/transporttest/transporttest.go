// Package transporttest is the suite of facts that every transport has to
// pass: whoever writes a new one gives it a [Transport] and calls [Run].
package transporttest

import (
	"io"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// Transport makes connections for the suite. The suite closes them.
type Transport struct {
	// Pair returns the two ends of a new connection, both with the given
	// options, which may be nil.
	Pair func(t testing.TB, o *transport.Options) (server, client transport.Conn)

	// Raw returns the server's end of a new connection, and the bare bytes
	// where the client's end would be. Nil if the transport has frames by
	// nature; the facts about bytes are then skipped.
	Raw func(t testing.TB, o *transport.Options) (server transport.Conn, client Bare)

	// Peer is what both ends of a Pair are to see of each other; only its
	// exported fields count.
	Peer transport.Peer

	// Many is how many connections there are to be at once. Default 1000.
	Many int

	// Allocations is how many a round trip may cost. Default none.
	Allocations float64

	// Waits is set where TryWrite can do nothing without waiting.
	Waits bool

	// Whole is set where the stream ends both ways at once: CloseWrite is
	// Close then.
	Whole bool

	// Patient is set where a frame that has begun may take as long as it
	// likes, because both ends are this process.
	Patient bool
}

// Bare is the client's end of a connection without frames.
type Bare interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// Run checks all facts.
func Run(t *testing.T, tr Transport) {
	for _, f := range facts {
		t.Run(f.name, func(t *testing.T) {
			if f.bare && tr.Raw == nil {
				t.Skip("this transport has no bytes below its frames")
			}
			f.check(t, &tr)
		})
	}
}

var facts = []struct {
	name  string
	bare  bool
	check func(t *testing.T, tr *Transport)
}{
	{"frames arrive both ways", false, bothWays},
	{"frames written together arrive one by one", false, coalesced},
	{"an empty frame is a frame", false, empty},
	{"every length around a block arrives", false, aroundBlocks},
	{"frames of 1 MiB and of the ceiling arrive", false, large},
	{"a frame at the limit arrives, one above is refused", false, limit},
	{"a frame above the limit is never read past", false, limitSticks},
	{"reading and writing do not disturb each other", false, duplex},

	{"J6: a length run may be split anywhere", true, splitLengths},
	{"J6: a line run may be split anywhere", true, splitLines},
	{"J6: a length that lies costs no memory", true, lies},
	{"J6: a length of 4 GiB is refused", true, enormous},
	{"J6: bytes that end within a frame are an unexpected end", true, cutOff},
	{"J6: a line above the limit is refused before its end", true, longLine},
	{"lengths are answered in lengths", true, answerLengths},
	{"lines are answered in lines", true, answerLines},
	{"blank lines are skipped, and CRLF ends a line", true, blankLines},
	{"a line shorter than a length is answered", true, shortLine},
	{"the end of the stream ends the last line", true, lastLine},
	{"long lines arrive", true, longLines},
	{"a peer that has ended can still be answered", true, halfClose},

	{"what TryWrite leaves Write writes", false, shortWrite},
	{"lines can be dialled", false, dialLines},
	{"a reader that does not read makes Write time out", false, writeDeadline},
	{"the end between frames is EOF", false, cleanEnd},
	{"a peer that has gone is not one that listens", false, endIsNotHalf},
	{"Close unblocks ReadFrame", false, closeUnblocksRead},
	{"Close unblocks Write", false, closeUnblocksWrite},
	{"Close is idempotent and final", false, closeTwice},

	{"an interrupt ends the wait", false, interruptWait},
	{"an interrupt before the wait ends the next", false, interruptBefore},
	{"interrupts lose no bytes", false, interruptLosesNothing},
	{"a detached frame stays as it was", false, detachKeeps},
	{"reading can be taken over while a frame is in use", false, detachTakesOver},

	{"every length around a step of growth arrives", false, aroundSteps},
	{"J6: a long frame may arrive a byte at a time", true, byteByByte},
	{"J6: a lie costs what has arrived or was proven", true, liesCost},
	{"J6: a frame that stalls is given up", true, frameTimeout},
	{"J6: a peer that ends within a long frame can be answered", true, halfCloseLong},
	{"a frame that came in time is done with", true, frameTimeoutOfAnother},
	{"a write that was through in time is done with", false, writeDeadlineOfAnother},
	{"a long frame that is detached stays as it was", false, detachLong},
	{"J6: memory that is used again shows nothing of before", true, nothingLeaks},
	{"an interrupt within a long frame loses nothing", true, interruptLong},

	{"the peer is whom the kernel says", false, peerIdentity},
	{"a round trip allocates nothing", false, allocations},
	{"many connections live at once", false, many},
	{"nothing is left behind", false, leftovers},
}
