/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zoo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GAPS_MAX 64

#ifdef __x86_64__
#define USER_END 0x7ffffffff000 /* of 47 bits; nobody asks for more without a hint */

/*
 * The last code of the process: unmap the ranges in the table that rbx points to, then sleep. It
 * needs no stack, so that can go too.
 */
__asm__(".pushsection .rodata\n"
	".globl bare_code, bare_code_end\n"
	"bare_code:\n"
	"1:	mov (%rbx), %rdi\n"
	"	mov 8(%rbx), %rsi\n"
	"	test %rsi, %rsi\n"
	"	je 2f\n"
	"	mov $11, %eax\n" /* munmap */
	"	syscall\n"
	"	add $16, %rbx\n"
	"	jmp 1b\n"
	"2:	mov $34, %eax\n" /* pause */
	"	syscall\n"
	"	jmp 2b\n"
	"bare_code_end:\n"
	".popsection\n");
extern const char bare_code[], bare_code_end[];

bool bare_is_known(void)
{
	return true;
}

static _Noreturn void bare_jump(const struct zoo *zoo, char *stub, const uint64_t *table)
{
	size_t len = addr_of(bare_code_end) - addr_of(bare_code);

	memcpy(stub, bare_code, len);
	if (mprotect(stub, zoo->page, PROT_READ | PROT_EXEC))
		_exit(1);
	__asm__ volatile("mov %0, %%rbx\n\tjmp *%1" : : "r"(table), "r"(stub) : "rbx", "memory");
	__builtin_unreachable();
}
#else
#define USER_END 0

bool bare_is_known(void)
{
	return false;
}

static _Noreturn void bare_jump(const struct zoo *zoo, char *stub, const uint64_t *table)
{
	(void)zoo;
	(void)stub;
	(void)table;
	_exit(1);
}
#endif

/* The kernel writes to the rseq area whenever it goes back to user space: not when it is gone. */
static void rseq_forget(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	/* Registered with the size of the first struct rseq, or with the size it has now. */
	if (__rseq_size && syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG))
		syscall(SYS_rseq, area, __rseq_size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

static size_t add_gap(uint64_t *table, size_t n, uint64_t start, uint64_t end)
{
	if (start == end)
		return n;
	table[2 * n] = start;
	table[2 * n + 1] = end - start;
	return n + 1;
}

void bare_sleep(const struct zoo *zoo, const struct keep *keep, size_t count, char *stub)
{
	/* The table lives in the stub as well, behind the code. */
	uint64_t *table = (uint64_t *)(void *)(stub + zoo->page / 4);
	struct keep self = { addr_of(stub), addr_of(stub) + zoo->page };
	uint64_t at = 0;
	size_t n = 0;
	bool placed = false;

	if (count > GAPS_MAX)
		_exit(1);
	for (size_t i = 0; i < count || !placed;) {
		const struct keep *next = i < count ? &keep[i] : &self;

		if (!placed && self.start < next->start)
			next = &self;
		if (next == &self)
			placed = true;
		else
			i++;
		n = add_gap(table, n, at, next->start);
		at = next->end;
	}
	n = add_gap(table, n, at, USER_END);
	table[2 * n] = table[2 * n + 1] = 0;
	rseq_forget();
	bare_jump(zoo, stub, table);
}

static size_t mappings_of(pid_t pid)
{
	char path[40], *line = NULL;
	size_t size = 0, count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (getline(&line, &size, f) > 0)
		count += !strstr(line, "[vsyscall]");
	free(line);
	fclose(f);
	return count;
}

bool bare_wait(pid_t pid, size_t mappings)
{
	for (int try = 0; try < 500; try++) {
		size_t count = mappings_of(pid);

		if (count == mappings)
			return true;
		if (!count)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return false;
}
