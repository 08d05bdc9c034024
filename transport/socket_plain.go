//go:build unix && !(linux && !race && (amd64 || arm64 || riscv64 || loong64))

package transport

// socketCalls and pipeCalls go through package syscall, which tells the race
// detector what happens before what; the descriptors are non-blocking anyway.
var socketCalls, pipeCalls = fileCalls, fileCalls
