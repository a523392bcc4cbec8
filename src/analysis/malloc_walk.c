/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/malloc_walk.h"

#include "analysis/malloc_find.h"
#include "base/arena.h"

enum { RETRIES = 12, CACHES_MAX = 1 << 16, STEPS_ENOUGH = 1 << 16 };

void malloc_walk_arena(struct malloc_walk *walk, const struct malloc_state *state, bool main)
{
	walk->state = *state;
	walk->main = main;
	walk->point = (struct malloc_point){ .tally = { .address = state->addr, .main = main } };
}

struct header {
	uint64_t foot; /* the size of the chunk before, where that is free */
	uint64_t size;
	unsigned bits;
};

static bool read_header(struct malloc_walk *walk, uint64_t addr, struct header *header)
{
	unsigned word = walk->layout->word;
	const char *at = malloc_view_at(walk->view, addr, MALLOC_HEADER_WORDS * (size_t)word);
	uint64_t size;

	if (!at)
		return false;
	size = malloc_word(at + word, word);
	header->foot = malloc_word(at, word);
	header->size = size & ~(uint64_t)CHUNK_BITS;
	header->bits = size & CHUNK_BITS;
	return true;
}

static bool is_plausible(const struct malloc_walk *walk, const struct header *header, uint64_t at,
			 uint64_t limit)
{
	uint64_t top = walk->state.top;

	return header->size >= MALLOC_LEAST_WORDS * walk->layout->word &&
	       header->size % MALLOC_ALIGN == 0 && !(header->bits & CHUNK_MAPPED) &&
	       header->size <= limit - at && !(at < top && header->size > top - at);
}

/* The pages of free memory that malloc_trim() gives back: those behind a header of six words. */
static uint64_t trimmable(struct malloc_walk *walk, uint64_t start, uint64_t end)
{
	uint64_t page = walk->view->page, from = start + 6 * (uint64_t)walk->layout->word;

	from += -from % page;
	if (from < start || from >= end || end - from < page)
		return 0;
	return malloc_view_resident(walk->view, from, from + (end - from) / page * page);
}

static void end_run(struct malloc_walk *walk, uint64_t end)
{
	if (walk->point.run)
		walk->point.tally.trimmable += trimmable(walk, walk->point.run, end);
	walk->point.run = 0;
}

static uint64_t resident(struct malloc_walk *walk, uint64_t start, uint64_t size)
{
	/* a header was read there */
	if ((start ^ (start + size - 1)) < walk->view->page)
		return size;
	return malloc_view_resident(walk->view, start, start + size);
}

static void count_free(struct malloc_walk *walk, struct malloc_arena *arena, uint64_t chunk,
		       uint64_t size)
{
	arena->free_resident += resident(walk, chunk, size);
	if (size < MALLOC_SMALL)
		arena->free_small += size;
}

void malloc_walk_cached(struct malloc_walk *walk, struct malloc_arena *arena, uint64_t chunk,
			uint64_t size)
{
	arena->tcache += size;
	arena->chunks_tcache++;
	count_free(walk, arena, chunk, size);
}

/* Free memory that touches more of it is given back together. */
static void add_run(struct malloc_walk *walk, uint64_t chunk, uint64_t size)
{
	struct malloc_arena *tally = &walk->point.tally;

	count_free(walk, tally, chunk, size);
	if (size > tally->largest_free)
		tally->largest_free = size;
	if (!walk->point.run)
		walk->point.run = chunk;
}

static bool is_fast(struct malloc_walk *walk, uint64_t chunk)
{
	const struct malloc_cached *fast = walk->fast;
	size_t *at = &walk->point.cached;

	while (*at < fast->count && fast->chunks[*at] < chunk)
		++*at;
	return *at < fast->count && fast->chunks[*at] == chunk;
}

static bool has_key(struct malloc_walk *walk, uint64_t chunk, uint64_t size)
{
	unsigned word = walk->layout->word;
	const char *at;

	if (!walk->key || size > walk->key_most)
		return false;
	at = malloc_view_at(walk->view, chunk + 3 * (uint64_t)word, word);
	return at && malloc_word(at, word) == walk->key;
}

static void note_cache(struct malloc_walk *walk, uint64_t chunk, uint64_t size)
{
	struct malloc_cached *caches = walk->caches;

	for (size_t i = 0; i < 2; i++)
		if (walk->layout->caches[i].chunk == size && caches->count < CACHES_MAX) {
			caches->chunks = mem_room(caches->chunks, caches->count, &caches->cap,
						  sizeof(caches->chunks[0]));
			caches->chunks[caches->count++] = chunk;
		}
}

/* The chunk before point.at, of which the header behind it tells whether it is in use. */
static void count_chunk(struct malloc_walk *walk, const struct header *next)
{
	struct malloc_arena *tally = &walk->point.tally;
	uint64_t size = walk->point.size, chunk = walk->point.at - size;

	if (!size)
		return;
	if (!(next->bits & CHUNK_PREV_IN_USE)) {
		tally->bins += size;
		tally->chunks_bins++;
		tally->torn += next->foot != size;
		add_run(walk, chunk, size);
		return;
	}
	if (is_fast(walk, chunk)) {
		tally->fast += size;
		tally->chunks_fast++;
		add_run(walk, chunk, size);
		return;
	}
	end_run(walk, chunk);
	if (has_key(walk, chunk, size)) {
		malloc_walk_cached(walk, tally, chunk, size);
		return;
	}
	tally->in_use += size;
	tally->chunks_in_use++;
	note_cache(walk, chunk, size);
}

/*
 * The last chunk; free memory right before it becomes part of it. Of the main arena's, all but the least chunk
 * goes back by brk(2), where nobody has taken memory behind it.
 */
static void count_top(struct malloc_walk *walk, const struct header *header)
{
	struct malloc_arena *tally = &walk->point.tally;
	uint64_t start = walk->point.at, end = start + header->size, page = walk->trim_page;
	uint64_t least = MALLOC_LEAST_WORDS * (uint64_t)walk->layout->word + 1;
	const struct malloc_mapping *mapping = malloc_view_mapping(walk->view, start);

	tally->top += header->size;
	tally->top_resident += malloc_view_resident(walk->view, start, end);
	start = walk->point.run ? walk->point.run : start;
	walk->point.run = 0;
	if (walk->main && !(walk->state.flags & STATE_NONCONTIGUOUS) && mapping && mapping->heap &&
	    mapping->end == end && end - start > least)
		tally->trimmable += malloc_view_resident(
			walk->view, end - (end - start - least) / page * page, end);
}

/*
 * The end of a piece that was the last once. In the main arena there are two chunks that are no more than a
 * header, up to a page's end, and a third one before where there was no room for more; else there is one (or
 * none), and a header of size 0. Returns how long all that is; 0: this is no end.
 */
static uint64_t fence_at(struct malloc_walk *walk, uint64_t at, const struct header *header,
			 uint64_t limit)
{
	uint64_t least = MALLOC_HEADER_WORDS * (uint64_t)walk->layout->word;
	uint64_t page = walk->view->page, end = walk->main ? at + page - at % page : limit;
	uint64_t left = end - at - (MALLOC_ALIGN - least), posts = left / least;
	struct header next;

	if (header->size > least || end > limit || left % least || posts < 1u + walk->main ||
	    posts > 2u + walk->main)
		return 0;
	for (uint64_t i = 0; i < posts; i++)
		if (!read_header(walk, at + i * least, &next) ||
		    next.size != (walk->main || i + 1 < posts ? least : 0))
			return 0;
	return end - at;
}

/* Go back, further each time, to what was read before, and read again. False: not any more. */
static bool step_back(struct malloc_walk *walk, unsigned *tries, uint64_t *limit)
{
	uint64_t back = 1ull << *tries;
	uint64_t retries = walk->point.tally.retries;
	const struct malloc_mapping *mapping;

	if (walk->view->stopped || *tries == RETRIES)
		return false;
	++*tries;
	back = back < MALLOC_POINTS ? back : MALLOC_POINTS;
	back = back < walk->point_count ? back : walk->point_count;
	walk->point_count -= back - 1;
	walk->point = walk->points[(walk->point_count - 1) % MALLOC_POINTS];
	walk->point.tally.retries = retries + 1;
	malloc_view_forget(walk->view);
	malloc_state_read(walk->layout, walk->view, walk->state.addr, &walk->state);
	if (!walk->main)
		return true;
	/* the program may have more memory now, or less */
	if (walk->state.top >= *limit || !malloc_view_mapping(walk->view, walk->state.top))
		walk->view->source->refresh(walk->view->source);
	mapping = malloc_view_mapping(walk->view, walk->point.at);
	if (mapping && mapping->end > *limit)
		*limit = mapping->end;
	return true;
}

static enum malloc_end lose(struct malloc_walk *walk, uint64_t limit)
{
	struct malloc_arena *tally = &walk->point.tally;
	uint64_t from = walk->point.at - walk->point.size;

	end_run(walk, from);
	if (malloc_view_page(walk->view, walk->point.at) == MALLOC_PAGE_SWAPPED)
		tally->swapped++;
	if (limit > from)
		tally->unread += limit - from;
	walk->point.size = 0;
	return MALLOC_END_LOST;
}

/* Where the fast chunks from addr on begin in their list. */
static size_t first_fast(const struct malloc_cached *fast, uint64_t addr)
{
	size_t low = 0, high = fast->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (fast->chunks[middle] < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum malloc_end end_at_fence(struct malloc_walk *walk, const struct header *header,
				    uint64_t fence)
{
	count_chunk(walk, header);
	end_run(walk, walk->point.at);
	walk->point.tally.overhead += fence;
	walk->point.at += fence;
	walk->point.size = 0;
	return MALLOC_END_FENCE;
}

enum malloc_end malloc_walk_piece(struct malloc_walk *walk, uint64_t start, uint64_t limit)
{
	struct malloc_point *point = &walk->point;
	struct header header;
	uint64_t fence, worst = start;
	unsigned tries = 0;

	point->at = start;
	point->size = point->run = 0;
	point->cached = first_fast(walk->fast, start);
	walk->point_count = 0;
	for (unsigned i = 0;; i++) {
		bool read;

		if (i % MALLOC_POINT_CHUNKS == 0)
			walk->points[walk->point_count++ % MALLOC_POINTS] = *point;
		read = read_header(walk, point->at, &header);
		if (read && point->at == walk->state.top && header.size <= limit - point->at) {
			count_chunk(walk, &header);
			count_top(walk, &header);
			point->at += header.size;
			return MALLOC_END_TOP;
		}
		if (read && is_plausible(walk, &header, point->at, limit)) {
			count_chunk(walk, &header);
			point->at += header.size;
			point->size = header.size;
			continue;
		}
		fence = read ? fence_at(walk, point->at, &header, limit) : 0;
		if (fence)
			return end_at_fence(walk, &header, fence);
		/* as often at every place, as long as it gets further */
		tries = point->at > worst ? 0 : tries;
		worst = point->at > worst ? point->at : worst;
		if (!step_back(walk, &tries, &limit))
			return lose(walk, limit);
	}
}

bool malloc_walk_try(struct malloc_walk *walk, uint64_t start, uint64_t limit)
{
	struct header header;
	uint64_t at = start;

	for (unsigned i = 0; i < STEPS_ENOUGH; i++) {
		if (!read_header(walk, at, &header))
			return false;
		if (at == walk->state.top || fence_at(walk, at, &header, limit))
			return true;
		if (!is_plausible(walk, &header, at, limit))
			return false;
		at += header.size;
	}
	return true;
}
