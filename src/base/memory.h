/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_MEMORY_H
#define VMVIEW_BASE_MEMORY_H

#include <stddef.h>

/* malloc(3), calloc(3), realloc(3) that end the program where there is no memory. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_grow(void *memory, size_t count, size_t size);

/* A longer list than one of *cap elements, which says how long it is; 0: there was none. */
void *mem_longer(void *list, size_t *cap, size_t size);

/* Room for one element more behind the count that a list has; it may move. */
static inline void *mem_room(void *list, size_t count, size_t *cap, size_t size)
{
	return count < *cap ? list : mem_longer(list, cap, size);
}

/* No memory: says so and ends the program with status 1. */
_Noreturn void mem_exhausted(void);

#endif
