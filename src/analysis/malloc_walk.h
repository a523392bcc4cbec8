/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_MALLOC_WALK_H
#define VMVIEW_ANALYSIS_MALLOC_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/malloc_cached.h"
#include "analysis/malloc_layout.h"
#include "model/malloc.h"

/*
 * Chunks of an arena, one after the other, each where the one before ends, and what they are: whether one is
 * free stands in the header of the next. A header that is none is met where the program goes on meanwhile
 * (or writes over it): then steps back are made and the memory is read again, a few times. What was counted is
 * always a partition of the bytes that were passed.
 */

/* How far it is: every chunk below at is counted, but the one right before it, which waits for its next. */
struct malloc_point {
	uint64_t at;
	uint64_t size; /* of the chunk before; 0: there is none */
	uint64_t run; /* where the free memory begins that ends at the chunk before; 0: there is none */
	size_t cached; /* in the list of fast chunks */
	struct malloc_arena tally;
};

enum { MALLOC_POINTS = 64, MALLOC_POINT_CHUNKS = 64 };

struct malloc_walk {
	const struct malloc_layout *layout;
	struct malloc_view *view;
	const struct malloc_cached *fast; /* of all arenas, sorted */
	uint64_t key, key_most; /* of cached chunks, and how big they may be; key 0: not known */
	uint64_t trim_page; /* what is given back of the main arena's top: whole ones of these */
	struct malloc_cached *caches; /* chunks that may hold a thread's cache, in order met */
	/* arena */
	struct malloc_state state;
	bool main;
	struct malloc_point point;
	/* where to step back to: a ring, of which point_count were ever kept */
	struct malloc_point points[MALLOC_POINTS];
	size_t point_count;
};

/* Another arena: nothing of it is counted yet. */
void malloc_walk_arena(struct malloc_walk *walk, const struct malloc_state *state, bool main);

/*
 * Where a walk over a piece ended: with the top chunk, or with the fenceposts of a piece that is no longer the
 * last (point.at is after them); or at what could not be read or understood.
 */
enum malloc_end { MALLOC_END_TOP, MALLOC_END_FENCE, MALLOC_END_LOST };

/*
 * Walk from start, which is a chunk, up to limit. From a piece that is lost, what is left up to limit is
 * counted as unread.
 */
enum malloc_end malloc_walk_piece(struct malloc_walk *walk, uint64_t start, uint64_t limit);

/*
 * Whether the chunks from start on end at the top or at fenceposts before limit, or are very many: then
 * malloc_walk_piece() can be trusted with it.
 */
bool malloc_walk_try(struct malloc_walk *walk, uint64_t start, uint64_t limit);

/* A chunk that was counted as in use turned out to be in a cache. */
void malloc_walk_cached(struct malloc_walk *walk, struct malloc_arena *arena, uint64_t chunk,
			uint64_t size);

#endif
