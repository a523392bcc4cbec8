/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_MALLOC_H
#define VMVIEW_MODEL_MALLOC_H

#include <stdint.h>

/*
 * What glibc's malloc of a process has, seen from outside. Plain numbers only: they come from a process
 * that reads hostile memory (source/malloc_reader.h), so no value of any member may be trusted to fit the
 * others. Sizes are bytes; those of chunks include their headers.
 */
enum {
	MALLOC_ARENAS_MAX = 16384,
};

/*
 * An arena. Where it rests, system is the sum of in_use, bins, fast, tcache, top, overhead and unread.
 * in_use is what the program holds, the thread caches' own tables included.
 */
struct malloc_arena {
	uint64_t address; /* of its struct malloc_state */
	uint64_t main; /* 1: it grows by brk(2), else by mmap(2) */
	uint64_t threads; /* attached to it */
	uint64_t heaps; /* pieces it is in */
	uint64_t system, system_most; /* taken from the system: now, at most so far */
	uint64_t in_use, bins, fast, tcache, top;
	uint64_t overhead; /* its own structures, fenceposts, alignment, memory of others in between */
	uint64_t unread; /* behind a header that is swapped out or could not be made sense of */
	uint64_t chunks_in_use, chunks_bins, chunks_fast, chunks_tcache;
	uint64_t free_resident; /* of bins, fast and tcache: in memory */
	uint64_t top_resident;
	uint64_t trimmable; /* whole pages in memory that malloc_trim(3) would give back now */
	uint64_t largest_free; /* chunk, of bins and fast */
	uint64_t free_small; /* of bins, fast and tcache: in chunks under 4 KiB */
	uint64_t swapped; /* pieces whose reading ended at a header in swap */
	uint64_t retries; /* steps back, since a header was not one */
	uint64_t torn; /* free chunks whose size at the other end is another; lists that broke */
	uint64_t moved; /* 1: the arena was not the same after it was read */
};

enum malloc_outcome {
	MALLOC_FOUND,
	MALLOC_ABSENT, /* no main arena: another C library or allocator, or malloc was never called */
	MALLOC_UNUSED, /* there is one, but it took nothing from the system */
	MALLOC_UNREADABLE, /* mem could not be read */
	MALLOC_OUTCOMES,
};

/* What goes for all arenas: struct malloc_par, and how the reading went. */
struct malloc_facts {
	uint64_t outcome; /* enum malloc_outcome */
	uint64_t arenas;
	uint64_t word; /* bytes of a pointer */
	uint64_t par; /* 1: the members up to caches_most are known */
	uint64_t mmapped, mmapped_chunks, mmapped_most; /* chunks that are mappings of their own */
	uint64_t trim_threshold, top_pad, mmap_threshold;
	uint64_t fixed; /* 1: the thresholds no longer adapt */
	uint64_t arena_max; /* 0: by the number of processors */
	uint64_t cache_count; /* chunks a thread may keep of each size; 0: none */
	uint64_t heap_size; /* of the pieces of arenas but the main one */
	uint64_t caches; /* threads' caches found */
	uint64_t caches_unknown; /* 1: of a version whose caches are not known: they are in use here */
	uint64_t cut; /* 1: more arenas or fast chunks than are looked at */
	uint64_t stopped; /* 1: the time was spent before all was read */
	uint64_t bytes; /* read of the target's memory */
};

#endif
