#include "textflag.h"

// Both functions read 32 bytes, since most strings end within those, then 128
// at a time as long as there are so many, then 32 again, and at last the 32 bytes that end where the text does: some of those
// for a second time, which changes nothing as they were plain. So no byte
// beyond the text is ever read, and there is no loop for a rest.
//
// SI is where to read, DI the end of the text, DX its beginning.
// Y12 holds 32 quotes, Y13 backslashes, and Y14 the limit of the control characters as
// each FIND needs it.

#define SETUP(limit) \
	MOVQ p+0(FP), SI           \
	MOVQ n+8(FP), DI           \
	MOVQ SI, DX                \
	ADDQ SI, DI                \
	MOVL $0x22222222, AX       \
	VMOVD AX, X12              \
	VPBROADCASTD X12, Y12      \
	MOVL $0x5c5c5c5c, AX       \
	VMOVD AX, X13              \
	VPBROADCASTD X13, Y13      \
	MOVL $limit, AX            \
	VMOVD AX, X14              \
	VPBROADCASTD X14, Y14

// FINDASCII sets the bytes of out where those of in are not plain ASCII:
// signed, 0x20 is greater than control characters and than what is not ASCII.
#define FINDASCII(in, out, tmp) \
	VPCMPGTB in, Y14, out      \
	VPCMPEQB in, Y12, tmp      \
	VPOR tmp, out, out         \
	VPCMPEQB in, Y13, tmp      \
	VPOR tmp, out, out

// FINDTEXT does so where they are not plain: the lesser of a control
// character and 0x1f is the character.
#define FINDTEXT(in, out, tmp) \
	VPMINUB in, Y14, out       \
	VPCMPEQB in, out, out      \
	VPCMPEQB in, Y12, tmp      \
	VPOR tmp, out, out         \
	VPCMPEQB in, Y13, tmp      \
	VPOR tmp, out, out

#define BODY(FIND) \
	VMOVDQU 0(SI), Y0          \
	FIND(Y0, Y4, Y8)           \
	VPMOVMSKB Y4, AX           \
	TESTL AX, AX               \
	JNZ  found                 \
	ADDQ $32, SI               \
many:                              \
	LEAQ 128(SI), CX           \
	CMPQ CX, DI                \
	JA   few                   \
	VMOVDQU 0(SI), Y0          \
	VMOVDQU 32(SI), Y1         \
	VMOVDQU 64(SI), Y2         \
	VMOVDQU 96(SI), Y3         \
	FIND(Y0, Y4, Y8)           \
	FIND(Y1, Y5, Y9)           \
	FIND(Y2, Y6, Y10)          \
	FIND(Y3, Y7, Y11)          \
	VPOR Y4, Y5, Y8            \
	VPOR Y6, Y7, Y9            \
	VPOR Y8, Y9, Y8            \
	VPTEST Y8, Y8              \
	JNZ  few                   \
	MOVQ CX, SI                \
	JMP  many                  \
few:                               \
	LEAQ 32(SI), CX            \
	CMPQ CX, DI                \
	JA   last                  \
	VMOVDQU 0(SI), Y0          \
	FIND(Y0, Y4, Y8)           \
	VPMOVMSKB Y4, AX           \
	TESTL AX, AX               \
	JNZ  found                 \
	MOVQ CX, SI                \
	JMP  few                   \
last:                              \
	LEAQ -32(DI), SI           \
	VMOVDQU 0(SI), Y0          \
	FIND(Y0, Y4, Y8)           \
	VPMOVMSKB Y4, AX           \
	TESTL AX, AX               \
	JNZ  found                 \
	SUBQ DX, DI                \
	MOVQ DI, ret+16(FP)        \
	VZEROUPPER                 \
	RET                        \
found:                             \
	BSFL AX, AX                \
	ADDQ AX, SI                \
	SUBQ DX, SI                \
	MOVQ SI, ret+16(FP)        \
	VZEROUPPER                 \
	RET

// func asciiWide(p *byte, n int) int
TEXT ·asciiWide(SB), NOSPLIT, $0-24
	SETUP(0x20202020)
	BODY(FINDASCII)

// func textWide(p *byte, n int) int
TEXT ·textWide(SB), NOSPLIT, $0-24
	SETUP(0x1f1f1f1f)
	BODY(FINDTEXT)
