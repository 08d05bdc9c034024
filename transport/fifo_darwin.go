package transport

// widerPipe has nothing to do: FIFOs grow by themselves here, to 64 KiB.
func widerPipe(uintptr) {}
