/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 32 bits, without a C library: says nothing, waits for the end of its input. */
	.text
	.globl _start
	.type _start, @function
_start:
	movl $1, number + 4
	movl $3, %eax
	xorl %ebx, %ebx
	movl $buffer, %ecx
	movl $1, %edx
	int $0x80
	movl $1, %eax
	int $0x80
	.size _start, . - _start

	.data
	.globl number
	.type number, @object
number:	.fill 5000
	.size number, 5000

	.bss
	.globl buffer
	.type buffer, @object
buffer:	.fill 9000
	.size buffer, 9000
	.section .note.GNU-stack,"",@progbits
