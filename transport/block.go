package transport

import (
	"math/bits"
	"sync"
)

// blockSize is how much is received at once, and the step in which a long
// frame grows.
const blockSize = 64 << 10

type block [blockSize]byte

// blocks are shared by all connections: one that waits for the first byte of
// a frame holds none.
var blocks = sync.Pool{New: func() any { return new(block) }}

func takeBlock() *block { return blocks.Get().(*block) }

// long is memory for one frame that is longer than a block.
type long struct{ bytes []byte }

// longs are kept by the power of two that they have room for: the first is
// twice a block, the last holds a frame of any length.
var longs [8]sync.Pool

// takeLong returns memory with room for n bytes, which have been received
// already.
func takeLong(n int) *long {
	class := longClass(n)
	if l, ok := longs[class].Get().(*long); ok {
		return l
	}
	return &long{make([]byte, blockSize<<(class+1))}
}

func (l *long) release() { longs[longClass(len(l.bytes))].Put(l) }

func longClass(n int) int { return max(0, bits.Len(uint((n-1)/blockSize))-1) }
