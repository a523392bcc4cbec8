/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_MALLOC_LAYOUT_H
#define VMVIEW_ANALYSIS_MALLOC_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/malloc_view.h"

/* Where glibc has what, by version and word size. From malloc/malloc.c and arena.c of 2.26 to 2.42. */
enum {
	MALLOC_BINS = 127, /* pairs of words; the last is never used */
	MALLOC_STATE_MOST = 2200,
	MALLOC_ALIGN = 16,
	MALLOC_HEADER_WORDS = 2, /* before what the program gets */
	MALLOC_LEAST_WORDS = 4, /* of a chunk */
	MALLOC_SMALL = 4096,
};

/* Low bits of a chunk's size. */
enum { CHUNK_PREV_IN_USE = 1, CHUNK_MAPPED = 2, CHUNK_NOT_MAIN = 4, CHUNK_BITS = 7 };

/* A thread's cache: the chunk that holds it, its counters, then its lists. */
struct malloc_cache_layout {
	uint16_t chunk; /* size of the chunk */
	uint16_t counter; /* bytes of each */
	uint16_t lists, entries; /* how many; where their heads are */
};

struct malloc_layout {
	uint8_t word;
	/* struct malloc_state */
	uint16_t fast, fast_count, top, bins, next, threads, system, most, size;
	uint16_t unknown_cache; /* chunk of a newer version's, which is not understood */
	struct malloc_cache_layout caches[2]; /* chunk 0: none */
};

extern const struct malloc_layout malloc_layout_64, malloc_layout_32;

/* What of struct malloc_state is used. */
struct malloc_state {
	uint64_t addr;
	uint32_t flags;
	uint64_t top, next, threads, system, most;
	uint64_t fast[11];
};

enum { STATE_NONCONTIGUOUS = 2 };

/* False where it is no arena: see malloc_find.h. */
bool malloc_state_parse(const struct malloc_layout *layout, const struct malloc_view *view,
			const char *bytes, uint64_t addr, struct malloc_state *state);

/* struct malloc_par. */
struct malloc_par {
	bool known;
	uint64_t trim_threshold, top_pad, mmap_threshold, arena_max;
	uint64_t thp_page, huge_page; /* glibc.malloc.hugetlb=1, =2; 0: not set */
	uint32_t mmaps, mmaps_max, mmaps_most, fixed;
	uint64_t mmapped, mmapped_most, brk_base;
	uint64_t cache_bins, cache_bytes, cache_count;
};

/* Room that parsing may look at. */
enum { MALLOC_PAR_MOST = 128 };

/* False where there is none at bytes. strict: mmaps_max has to be as glibc sets it. */
bool malloc_par_parse(const struct malloc_layout *layout, const char *bytes, bool strict,
		      struct malloc_par *par);

/* Chunks are aligned so that what the program gets is. */
static inline bool malloc_is_chunk(const struct malloc_layout *layout, uint64_t addr)
{
	return (addr + MALLOC_HEADER_WORDS * layout->word) % MALLOC_ALIGN == 0;
}

/* The first place for a chunk from addr on. */
static inline uint64_t malloc_first_chunk(const struct malloc_layout *layout, uint64_t addr)
{
	uint64_t shift = MALLOC_HEADER_WORDS * layout->word;

	return (addr + shift + MALLOC_ALIGN - 1) / MALLOC_ALIGN * MALLOC_ALIGN - shift;
}

#endif
