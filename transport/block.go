package transport

import (
	"sync"

	"github.com/ekkojs/ipc/internal/spare"
)

// blockSize is how much is received at once, but for long frames.
const blockSize = 64 << 10

// How much of a long frame is moved by one system call. More would be little
// faster, and the scheduler, which does not know that the thread is in a
// system call, cannot take its processor away meanwhile: these take 10 to 40
// microseconds.
const (
	sendMax    = 128 << 10
	receiveMax = 256 << 10
)

// peekSize is how much is received of a frame that is probably long: what is
// received of it before its length is known has to be moved.
const peekSize = 4 << 10

type block [blockSize]byte

// blocks are shared by all connections: one that waits for the first byte of
// a frame holds none.
var blocks = sync.Pool{New: func() any { return new(block) }}

func takeBlock() *block { return blocks.Get().(*block) }

// long is memory for one frame that is longer than a block. A connection holds
// one only within a frame and while the frame is in use, so a steady flow of
// long frames goes through the same few.
type long struct{ bytes []byte }

// takeLong returns memory with room for n bytes.
func takeLong(n int) *long { return &long{spare.Take(n)} }

func (l *long) release() { spare.Give(l.bytes) }
