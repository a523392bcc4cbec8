/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_ARENA_H
#define VMVIEW_BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/memory.h"

/*
 * Memory that lives and dies together: a snapshot owns one. Never returns NULL: without memory the
 * program ends (memory.h). All memory is aligned to 8 bytes and zeroed where it says so.
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

#endif
