#include "textflag.h"

// MASK sets the bits of out where the 64 bytes in Y0 and Y1 equal those of Y.
#define MASK(Y, out) \
	VPCMPEQB Y0, Y, Y2         \
	VPCMPEQB Y1, Y, Y3         \
	VPMOVMSKB Y2, out          \
	VPMOVMSKB Y3, R13          \
	SHLQ $32, R13              \
	ORQ R13, out

#define FILL(byte, X, Y) \
	MOVL $byte, AX             \
	VMOVD AX, X                \
	VPBROADCASTD X, Y

// func enclosedWide(p *byte, n int) int
//
// It takes 64 bytes at a time and makes a bit of each byte, the lowest of the
// first: AX has the quotes, BX the backslashes, R12 the opening brackets, R11
// the closing ones. Quotes that are escaped are taken out. Then each bit
// becomes whether the quotes up to it are odd in number, which is what being
// inside a string means, and the brackets there are taken out too. What is
// left is counted.
//
// SI is the block, DI the end of the text, DX its beginning. R8 is the depth.
// Two things are carried from block to block: R9 is all ones within a string,
// R10 is 1 behind a backslash. The last block, when it is not full, is read
// from further left, and the bits of what was seen before are shifted out.
TEXT ·enclosedWide(SB), NOSPLIT, $0-24
	MOVQ p+0(FP), SI
	MOVQ n+8(FP), DI
	MOVQ SI, DX
	ADDQ SI, DI
	XORQ R8, R8
	XORQ R9, R9
	XORQ R10, R10
	FILL(0x22222222, X8, Y8)   // quotes
	FILL(0x5c5c5c5c, X9, Y9)   // backslashes
	FILL(0x20202020, X10, Y10) // the bit between [ and {, and between ] and }
	FILL(0x7b7b7b7b, X11, Y11) // {
	FILL(0x7d7d7d7d, X12, Y12) // }
	VPCMPEQB X13, X13, X13     // all ones

step:
	// Within a long string there is nothing to count.
	TESTQ R9, R9
	JZ   block
	TESTQ R10, R10
	JNZ  block
string:
	LEAQ 128(SI), AX
	CMPQ AX, DI
	JAE  block
	VPCMPEQB 0(SI), Y8, Y0
	VPCMPEQB 0(SI), Y9, Y4
	VPCMPEQB 32(SI), Y8, Y1
	VPCMPEQB 32(SI), Y9, Y5
	VPCMPEQB 64(SI), Y8, Y2
	VPCMPEQB 64(SI), Y9, Y6
	VPCMPEQB 96(SI), Y8, Y3
	VPCMPEQB 96(SI), Y9, Y7
	VPOR Y0, Y4, Y0
	VPOR Y1, Y5, Y1
	VPOR Y2, Y6, Y2
	VPOR Y3, Y7, Y3
	VPOR Y0, Y1, Y0
	VPOR Y2, Y3, Y2
	VPOR Y0, Y2, Y0
	VPTEST Y0, Y0
	JNZ  block
	MOVQ AX, SI
	JMP  string

block:
	XORQ CX, CX
	MOVQ SI, R13
	LEAQ 64(SI), AX
	CMPQ AX, DI
	JBE  load
	LEAQ -64(DI), R13
	MOVQ SI, CX
	SUBQ R13, CX
load:
	VMOVDQU 0(R13), Y0
	VMOVDQU 32(R13), Y1
	MASK(Y8, AX)
	MASK(Y9, BX)
	VPOR Y10, Y0, Y0
	VPOR Y10, Y1, Y1
	MASK(Y11, R12)
	MASK(Y12, R11)
	SHRQ CX, AX
	SHRQ CX, BX
	SHRQ CX, R12
	SHRQ CX, R11

	MOVQ BX, R13
	ORQ  R10, R13
	JZ   escaped
	NOTQ R10 // all but the first bit, if that is escaped
	ANDQ R10, AX
	ANDQ R10, BX
	XORQ R10, R10
escape:
	TESTQ BX, BX
	JZ   escaped
	BSFQ BX, CX
	LEAQ -1(BX), R13
	ANDQ R13, BX
	MOVQ $2, R13
	SHLQ CX, R13
	TESTQ R13, R13 // a shift by nothing sets no flags
	JZ   carry
	NOTQ R13
	ANDQ R13, AX
	ANDQ R13, BX
	JMP  escape
carry:
	MOVQ $1, R10
escaped:

	VMOVQ AX, X4
	VPCLMULQDQ $0, X13, X4, X4 // each bit the sum of those up to it
	VMOVQ X4, AX
	XORQ R9, AX
	MOVQ AX, R9
	SARQ $63, R9
	NOTQ AX
	ANDQ AX, R12
	ANDQ AX, R11

	POPCNTQ R11, R13
	CMPQ R8, R13
	JLE  close
	POPCNTQ R12, AX
	ADDQ AX, R8
	SUBQ R13, R8
next:
	ADDQ $64, SI
	CMPQ SI, DI
	JB   step
	MOVQ $-1, ret+16(FP)
	VZEROUPPER
	RET

	// There are enough closing brackets in this block for one of them to be
	// the last: look at each.
close:
	TESTQ R11, R11
	JZ   open
	BSFQ R11, CX
	MOVQ $1, R13
	SHLQ CX, R13
	DECQ R13
	MOVQ R12, AX
	ANDQ R13, AX
	POPCNTQ AX, AX
	ADDQ AX, R8
	NOTQ R13
	ANDQ R13, R12
	DECQ R8
	JLE  found
	LEAQ -1(R11), R13
	ANDQ R13, R11
	JMP  close
open:
	POPCNTQ R12, AX
	ADDQ AX, R8
	JMP  next
found:
	LEAQ 1(SI)(CX*1), AX
	SUBQ DX, AX
	MOVQ AX, ret+16(FP)
	VZEROUPPER
	RET
