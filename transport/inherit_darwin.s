#include "textflag.h"

// The C function is called by way of a jump, whose address package syscall
// can be given.
TEXT launch_activate_socket_trampoline<>(SB),NOSPLIT,$0-0
	JMP	libc_launch_activate_socket(SB)
GLOBL	·launch_activate_socket_trampoline_addr(SB), RODATA, $8
DATA	·launch_activate_socket_trampoline_addr(SB)/8, $launch_activate_socket_trampoline<>(SB)
