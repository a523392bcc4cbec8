/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that knows what is in it: text, constants, pointers that have to be relocated, data and
 * .bss, of which it reads and writes some. Built by tests/live/elf.py in many ways.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
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
#ifdef COPIED
/* pages of its own, between those of others */
int __attribute__((noinline, aligned(4096), section(".text.own"))) function_2(void)
{
	return 2;
}
int __attribute__((noinline, aligned(4096), section(".text.own"))) behind(int x)
{
	return x * 3;
}
#else
FUNCTION(2)
#endif
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

#ifdef COPIED
static void copy_text(void *text)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *copy = mmap(NULL, PAGE, all, flags, -1, 0);

	memcpy(copy, text, PAGE);
	if (COPIED == 2) {
		mremap(copy, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, text);
	} else if (COPIED == 1) {
		int fd = memfd_create("text", 0);

		write(fd, copy, PAGE);
		mmap(text, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0);
	} else {
		mmap(text, PAGE, all, flags | MAP_FIXED, -1, 0);
		memcpy(text, copy, PAGE);
	}
	mprotect(text, PAGE, PROT_READ | PROT_EXEC);
}
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
#ifdef COPIED
	/* as those do that put their text on huge pages: 0 anonymous memory, 1 a memfd, 2 mremap(2) */
	copy_text((void *)((uintptr_t)function_2 & ~(uintptr_t)(PAGE - 1)));
	sum += (char)function_2();
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
