/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_MALLOC_CACHED_H
#define VMVIEW_ANALYSIS_MALLOC_CACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/malloc_layout.h"

/*
 * Free chunks that look like chunks in use: those in fast bins and in the caches of threads. They are
 * in singly linked lists, whose links may be mangled (since 2.32): which, the links themselves tell.
 */
enum { CACHED_MAX = 4 << 20 };

struct malloc_cached {
	uint64_t *chunks; /* by address once malloc_cached_sort() was called; heap */
	size_t count, cap;
	bool cut; /* there are more than CACHED_MAX */
	uint64_t broken; /* lists that did not go on as lists do */
	uint64_t bad[2]; /* links that make no sense if they are plain, if they are mangled */
};

void malloc_cached_fini(struct malloc_cached *cached);

/* Sort, each once. */
void malloc_cached_sort(struct malloc_cached *cached);

/* A list: its first chunk (0: it is empty), and how big its chunks are. */
struct malloc_list {
	uint64_t first, size;
	uint64_t most; /* chunks it may have */
	bool of_cache; /* linked by what the program gets, not by chunks */
};

/* Find out how links are written, from this list. To be done for all before the first is added. */
void malloc_cached_learn(struct malloc_cached *cached, const struct malloc_layout *layout,
			 struct malloc_view *view, const struct malloc_list *list);

/* Add the chunks of the list. */
void malloc_cached_add(struct malloc_cached *cached, const struct malloc_layout *layout,
		       struct malloc_view *view, const struct malloc_list *list);

/* A thread's cache: the heads of its lists, as chunks; 0: empty. */
struct malloc_cache {
	uint64_t heads[64], counts[64];
	size_t lists;
};

/*
 * The cache in this chunk, which has the size of one; false where it is none, or holds nothing. most: chunks
 * in a list, by struct malloc_par.
 */
bool malloc_cache_read(const struct malloc_layout *layout, const struct malloc_cache_layout *kind,
		       struct malloc_view *view, uint64_t chunk, uint64_t most,
		       struct malloc_cache *cache);

/* The size of the chunks in a list. */
static inline uint64_t malloc_cache_size(const struct malloc_layout *layout, size_t list)
{
	return MALLOC_LEAST_WORDS * layout->word + MALLOC_ALIGN * list;
}

/*
 * What the chunks in the caches have in their fourth word, since 2.34: one random number a process, so it
 * is in most of them; 0: not known. Before 2.34 it is where the cache is.
 */
uint64_t malloc_cache_key(const struct malloc_layout *layout, struct malloc_view *view,
			  const struct malloc_cached *cached);

#endif
