/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_ARENA_H
#define VMVIEW_BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"

/*
 * Memory that lives and dies together: a snapshot owns one. Never returns NULL: without memory the
 * program ends (error_no_memory()). All memory is aligned to 8 bytes and zeroed where it says so.
 */
struct arena {
	struct arena_chunk *chunks;
	char *next, *end;
	size_t bytes; /* taken from the system, in all */
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);

/* A copy with a NUL behind it, which does not count in len. */
struct bytes arena_bytes(struct arena *arena, struct bytes from);
char *arena_strdup(struct arena *arena, const char *from);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

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

#endif
