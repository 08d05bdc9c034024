package plain

import "golang.org/x/sys/cpu"

// wide says that the processor compares 32 bytes at a time.
var wide = cpu.X86.HasAVX2

// wideFrom is the length from which on that pays, which is no less than the 32
// bytes that asciiWide and textWide need.
const wideFrom = 32

// masks says that it also does so into bits, and works on those.
var masks = wide && cpu.X86.HasPCLMULQDQ && cpu.X86.HasPOPCNT

// asciiWide is ASCII for the n bytes at p, at least 32 of them.
//
//go:noescape
func asciiWide(p *byte, n int) int

// textWide is Text for the n bytes at p, at least 32 of them.
//
//go:noescape
func textWide(p *byte, n int) int

// enclosedWide is Enclosed for the n bytes at p, at least 64 of them.
//
//go:noescape
func enclosedWide(p *byte, n int) int
