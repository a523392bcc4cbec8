/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"

#include <stdlib.h>
#include <unistd.h>

enum { LIST_FIRST = 16 };

_Noreturn void mem_exhausted(void)
{
	static const char text[] = "vmview: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

void *mem_alloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		mem_exhausted();
	return memory;
}

void *mem_zalloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		mem_exhausted();
	return memory;
}

void *mem_grow(void *memory, size_t count, size_t size)
{
	void *grown = reallocarray(memory, count ? count : 1, size);

	if (!grown)
		mem_exhausted();
	return grown;
}

void *mem_longer(void *list, size_t *cap, size_t size)
{
	*cap = *cap ? *cap * 2 : LIST_FIRST;
	return mem_grow(list, *cap, size);
}
