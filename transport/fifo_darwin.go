package transport

import "time"

// widerPipe has nothing to do: FIFOs grow by themselves here, to 64 KiB.
func widerPipe(uintptr) {}

// fifoTick is how often fifoWatch looks: kqueue does not tell a reader that
// the last writer has closed.
const fifoTick = time.Second
