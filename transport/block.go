package transport

import "sync"

// blockSize is how much is received at once, and the step in which a long
// frame grows.
const blockSize = 64 << 10

type block [blockSize]byte

// blocks are shared by all connections: one that waits for the first byte of
// a frame holds none.
var blocks = sync.Pool{New: func() any { return new(block) }}

func takeBlock() *block { return blocks.Get().(*block) }
