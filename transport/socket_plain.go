//go:build unix && !(linux && !race && (amd64 || arm64 || riscv64 || loong64))

package transport

// socketCalls go through package syscall, which tells the race detector what
// happens before what; descriptors of sockets are non-blocking anyway.
var socketCalls = fileCalls
