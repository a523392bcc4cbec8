/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_FIRST = 4096, CHUNK_MAX = 256 * 1024, ALIGN = 8 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	char data[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){ 0 };
}

void arena_fini(struct arena *arena)
{
	struct arena_chunk *chunk, *next;

	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena_init(arena);
}

static void add_chunk(struct arena *arena, size_t need)
{
	size_t size = arena->chunks ? arena->chunks->size * 2 : CHUNK_FIRST;
	struct arena_chunk *chunk;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(*chunk))
		mem_exhausted();
	chunk = mem_alloc(sizeof(*chunk) + size);
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->next = chunk->data;
	arena->end = chunk->data + size;
	arena->bytes += sizeof(*chunk) + size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	char *memory;

	if (size > SIZE_MAX - ALIGN)
		mem_exhausted();
	size = ((size ? size : 1) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if ((size_t)(arena->end - arena->next) < size)
		add_chunk(arena, size);
	memory = arena->next;
	arena->next += size;
	return memory;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

struct bytes arena_bytes(struct arena *arena, struct bytes from)
{
	char *copy = arena_alloc(arena, from.len + 1);

	if (from.len)
		memcpy(copy, from.data, from.len);
	copy[from.len] = '\0';
	return (struct bytes){ copy, from.len };
}

char *arena_strdup(struct arena *arena, const char *from)
{
	size_t size = strlen(from) + 1;

	return memcpy(arena_alloc(arena, size), from, size);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		mem_exhausted();
	text = arena_alloc(arena, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}
