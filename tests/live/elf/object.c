/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that knows what is in it: text, constants, pointers that have to be relocated, data and
 * .bss, of which it reads and writes some. Built by tests/live/elf.py in many ways.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 16 };

const char constants[PAGES * PAGE] = { 1, 2, 3 };
char data[PAGES * PAGE] = { 1 };
char bss[PAGES * PAGE];

#define FUNCTION(n) \
	int function_##n(void); \
	int __attribute__((noinline)) function_##n(void) \
	{ \
		return (n); \
	}
FUNCTION(1)
FUNCTION(2)
FUNCTION(3)

int (*const relocated[PAGES * PAGE / sizeof(void *)])(void) = {
	[0] = function_1,
	[PAGE] = function_2,
	[PAGE + PAGE / 2] = function_3,
};

#ifdef TEXTREL
__asm__(".text\n.globl in_text\nin_text: .quad function_1\n.size in_text, 8\n.type in_text, @object");
#endif
#ifdef WX_SEGMENT
__asm__(".section .wx,\"awx\",@progbits\n.globl wx\n wx: .fill 64\n.text");
#endif

int main(void)
{
	volatile char sum = 0;

	for (int i = 0; i < PAGES; i += 2)
		sum += constants[i * PAGE];
	for (int i = 1; i < PAGES; i += 3)
		data[i * PAGE + 5] = 7;
	for (int i = 2; i < PAGES; i += 5)
		bss[i * PAGE + 9] = 7;
	sum += (char)relocated[0]();
#ifdef WX_MAPPING
	mprotect((void *)((uintptr_t)function_1 & ~(uintptr_t)(PAGE - 1)), PAGE,
		 PROT_READ | PROT_WRITE | PROT_EXEC);
	*(volatile char *)function_1 = *(volatile char *)function_1;
#endif
#ifdef CUT_BSS
	for (int i = 0; i < PAGES; i += 2)
		mprotect((void *)((uintptr_t)(bss + i * PAGE) & ~(uintptr_t)(PAGE - 1)), PAGE,
			 PROT_READ);
#endif
	printf("{\"pid\":%d,\"main\":%lu,\"data\":%lu,\"bss\":%lu,\"constants\":%lu,\"sum\":%d}\n",
	       (int)getpid(), (unsigned long)main, (unsigned long)data, (unsigned long)bss,
	       (unsigned long)constants, sum);
	fflush(stdout);
	return (int)read(0, &(char){ 0 }, 1);
}
