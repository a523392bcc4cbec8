/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/malloc_look.h"

#include <stdlib.h>

#include "analysis/malloc_cached.h"
#include "analysis/malloc_find.h"
#include "analysis/malloc_layout.h"
#include "analysis/malloc_view.h"
#include "analysis/malloc_walk.h"
#include "base/arena.h"

#define MIB (1ull << 20)

enum {
	HEAPS_MAX = 1 << 16, /* of an arena */
	CACHE_COUNT = 7, /* chunks a thread keeps of each size, if not told otherwise */
	HEAP_PAGES = 4, /* a piece of an arena, where it is made of huge pages */
};

static const uint64_t gap_most = 16 * MIB; /* of memory that somebody else took by brk(2) */

struct looking {
	const struct malloc_layout *layout;
	struct malloc_view view; /* for the walk: one piece after the other */
	struct malloc_view near; /* for what lies anywhere */
	struct malloc_ring ring;
	struct malloc_par par;
	struct malloc_cached fast, caches, cached;
	struct malloc_walk walk;
	uint64_t heap_size;
	struct malloc_look *out;
};

/* The beginning of a piece of an arena: struct heap_info. */
struct heap {
	uint64_t start, arena, before, size;
};

static bool read_heap(struct looking *looking, uint64_t start, struct heap *heap)
{
	unsigned word = looking->layout->word;
	const char *at = malloc_view_at(&looking->near, start, 3 * (size_t)word);

	if (!at)
		return false;
	*heap = (struct heap){ start, malloc_word(at, word), malloc_word(at + word, word),
			       malloc_word(at + 2 * (size_t)word, word) };
	return true;
}

/* How big pieces of arenas are at most, and what they are aligned to. */
static uint64_t find_heap_size(const struct looking *looking)
{
	if (looking->par.huge_page)
		return HEAP_PAGES * looking->par.huge_page;
	return looking->layout->word == 8 ? 64 * MIB : MIB;
}

/* The lists of free chunks that look like ones in use: fast bins of all arenas. */
static void read_fast(struct looking *looking)
{
	const struct malloc_layout *layout = looking->layout;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < looking->ring.count; i++)
			for (unsigned bin = 0; bin < layout->fast_count; bin++) {
				const struct malloc_state *state = &looking->ring.states[i];
				uint64_t size = 2 * (bin + 2ull) * layout->word;
				const struct malloc_list list = { state->fast[bin], size,
								  state->system / size + 1, false };

				if (pass)
					malloc_cached_add(&looking->fast, layout, &looking->near,
							  &list);
				else
					malloc_cached_learn(&looking->fast, layout, &looking->near,
							    &list);
			}
	malloc_cached_sort(&looking->fast);
}

/* Whether this chunk holds a thread's cache; its lists are added where no key tells what is in them. */
static bool add_cache(struct looking *looking, uint64_t chunk, uint64_t size)
{
	const struct malloc_layout *layout = looking->layout;
	uint64_t most = CACHE_COUNT;
	const struct malloc_cache_layout *kind = &layout->caches[0];
	struct malloc_cache cache;

	if (looking->par.known && looking->par.cache_count > most)
		most = looking->par.cache_count;
	kind += size != kind->chunk;
	if (size != kind->chunk ||
	    !malloc_cache_read(layout, kind, &looking->near, chunk, most, &cache))
		return false;
	for (int pass = 0; pass < 2 && !looking->walk.key; pass++)
		for (size_t i = 0; i < cache.lists; i++) {
			const struct malloc_list list = { cache.heads[i],
							  malloc_cache_size(layout, i),
							  cache.counts[i], true };

			if (pass)
				malloc_cached_add(&looking->cached, layout, &looking->near, &list);
			else
				malloc_cached_learn(&looking->cached, layout, &looking->near,
						    &list);
		}
	return true;
}

static uint64_t size_of_chunk(struct looking *looking, uint64_t chunk)
{
	unsigned word = looking->layout->word;
	const char *at = malloc_view_at(&looking->near, chunk, MALLOC_HEADER_WORDS * (size_t)word);

	return at ? malloc_word(at + word, word) & ~(uint64_t)CHUNK_BITS : 0;
}

/* The first chunk of an arena's first piece; 0: not known. */
static uint64_t first_chunk(const struct looking *looking, size_t arena)
{
	const struct malloc_state *state = &looking->ring.states[arena];

	if (arena)
		return malloc_first_chunk(looking->layout, state->addr + looking->layout->size);
	if (looking->par.known)
		return malloc_first_chunk(looking->layout, looking->par.brk_base);
	for (size_t i = 0; i < looking->view.source->mapping_count; i++) {
		const struct malloc_mapping *mapping = &looking->view.source->mappings[i];

		if (mapping->heap)
			return malloc_first_chunk(looking->layout, mapping->start);
	}
	return 0;
}

/*
 * A thread's cache is the first that it takes, so in each arena there is one in the first chunk: enough to
 * know the word that all chunks in caches have, where there is one.
 */
static void learn_caches(struct looking *looking)
{
	struct malloc_walk *walk = &looking->walk;

	memcpy(looking->cached.bad, looking->fast.bad, sizeof(looking->fast.bad));
	for (size_t i = 0; i < looking->ring.count; i++) {
		uint64_t chunk = first_chunk(looking, i), size = size_of_chunk(looking, chunk);

		if (size && size == looking->layout->unknown_cache)
			looking->out->facts.caches_unknown = 1;
		add_cache(looking, chunk, size);
	}
	walk->key = malloc_cache_key(looking->layout, &looking->near, &looking->cached);
	walk->key_most = malloc_cache_size(looking->layout, looking->layout->caches[0].lists - 1);
	/* the old kind: where the cache is */
	for (size_t i = 0; i < looking->ring.count && walk->key; i++)
		if (walk->key ==
		    first_chunk(looking, i) + MALLOC_HEADER_WORDS * (uint64_t)looking->layout->word)
			walk->key = 0;
	looking->cached.count = 0;
}

/* Pieces of an arena but the main one, from its top back to its first. */
static void walk_heaps(struct looking *looking, const struct malloc_state *state)
{
	struct malloc_arena *tally = &looking->walk.point.tally;
	uint64_t *seen = NULL, at = state->top & ~(looking->heap_size - 1);
	size_t count = 0, cap = 0;
	struct heap heap;

	while (at && count < HEAPS_MAX && !looking->view.stopped && read_heap(looking, at, &heap) &&
	       heap.arena == state->addr && heap.size <= looking->heap_size) {
		uint64_t info = state->addr & (looking->heap_size - 1);
		uint64_t first = heap.before ? at + info : state->addr + looking->layout->size;
		bool again = false;

		for (size_t i = 0; i < count; i++)
			again |= seen[i] == at;
		if (again)
			break;
		seen = mem_room(seen, count, &cap, sizeof(seen[0]));
		seen[count++] = at;
		first = malloc_first_chunk(looking->layout, first);
		tally->overhead += first - at;
		malloc_walk_piece(&looking->walk, first, at + heap.size);
		at = heap.before;
	}
	tally->heaps = count;
	free(seen);
}

/* Where the main arena goes on behind memory that the program itself took by brk(2); 0: nowhere. */
static uint64_t after_gap(struct looking *looking, uint64_t from, uint64_t end)
{
	uint64_t at = malloc_first_chunk(looking->layout, from);
	uint64_t page = looking->view.page;

	if (end - from > gap_most)
		end = from + gap_most;
	for (; at < end && !looking->view.stopped; at += MALLOC_ALIGN) {
		if (malloc_view_page(&looking->view, at) != MALLOC_PAGE_RESIDENT) {
			at = malloc_first_chunk(looking->layout, at - at % page + page) -
			     MALLOC_ALIGN;
			continue;
		}
		if (malloc_walk_try(&looking->walk, at, end))
			return at;
	}
	return 0;
}

/*
 * Pieces of the main arena in one mapping, from the first on. What others took by brk(2) in between counts as
 * the arena's, for glibc. Pieces made by mmap(2) are below older ones, so the one with the top is the first.
 * Returns how many.
 */
static unsigned walk_mapping(struct looking *looking, uint64_t start, uint64_t limit)
{
	struct malloc_walk *walk = &looking->walk;
	bool gaps = !(walk->state.flags & STATE_NONCONTIGUOUS);
	unsigned count = 0;
	uint64_t next;

	while (start && start < limit && !looking->view.stopped) {
		enum malloc_end end = malloc_walk_piece(walk, start, limit);

		count++;
		if (end == MALLOC_END_LOST || (gaps && end == MALLOC_END_TOP))
			break;
		next = walk->point.at;
		start = malloc_first_chunk(looking->layout, next);
		if (gaps)
			start = after_gap(looking, next, limit);
		else if (start >= limit || !malloc_walk_try(walk, start, limit))
			start = 0;
		if (start)
			walk->point.tally.overhead += start - next;
	}
	return count;
}

/* A piece that was made by mmap(2), since brk(2) failed: nothing before it, and a chunk in use before. */
static bool begins_piece(struct looking *looking, const struct malloc_mapping *mapping)
{
	unsigned word = looking->layout->word;
	uint64_t at = malloc_first_chunk(looking->layout, mapping->start);
	const char *bytes = malloc_view_at(&looking->view, at, MALLOC_HEADER_WORDS * (size_t)word);

	return !mapping->file && !mapping->heap && bytes && !malloc_word(bytes, word) &&
	       (malloc_word(bytes + word, word) & CHUNK_BITS) == CHUNK_PREV_IN_USE &&
	       malloc_walk_try(&looking->walk, at, mapping->end);
}

/* The main arena: from where it began to grow by brk(2), and wherever that failed. */
static void walk_main(struct looking *looking)
{
	uint64_t start = first_chunk(looking, 0), limit, first = 0, count = 0;
	const struct malloc_mapping *mapping = malloc_view_mapping(&looking->view, start);
	struct malloc_mapping *list;
	const struct malloc_source *source = looking->view.source;

	if (mapping && mapping->start < start && !mapping->heap && !mapping->file &&
	    begins_piece(looking, mapping))
		mapping = NULL; /* pieces that came later are below it in the same mapping */
	if (mapping) {
		first = mapping->start;
		limit = mapping->end;
		if (looking->par.known)
			looking->walk.point.tally.overhead += start - looking->par.brk_base;
		count += walk_mapping(looking, start, limit);
	}
	if (looking->walk.state.flags & STATE_NONCONTIGUOUS) {
		size_t listed = source->mapping_count;

		list = mem_alloc((listed + 1) * sizeof(*list));
		memcpy(list, source->mappings, listed * sizeof(*list));
		for (size_t i = 0; i < listed && !looking->view.stopped; i++) {
			if (list[i].start == first || !begins_piece(looking, &list[i]))
				continue;
			start = malloc_first_chunk(looking->layout, list[i].start);
			looking->walk.point.tally.overhead += start - list[i].start;
			count += walk_mapping(looking, start, list[i].end);
		}
		free(list);
	}
	looking->walk.point.tally.heaps = count;
}

static void walk_arena(struct looking *looking, size_t index)
{
	struct malloc_state state = looking->ring.states[index], after;
	struct malloc_arena *tally = &looking->walk.point.tally;

	malloc_view_forget(&looking->view);
	malloc_view_forget(&looking->near);
	if (malloc_state_read(looking->layout, &looking->near, state.addr, &after))
		state = after;
	if (!malloc_view_mapping(&looking->view, state.top))
		looking->view.source->refresh(looking->view.source);
	malloc_walk_arena(&looking->walk, &state, !index);
	if (index)
		walk_heaps(looking, &state);
	else
		walk_main(looking);
	malloc_view_forget(&looking->near);
	if (!malloc_state_read(looking->layout, &looking->near, state.addr, &after))
		after = state;
	tally->moved = after.top != state.top || after.system != state.system;
	tally->threads = state.threads;
	tally->system = state.system;
	tally->system_most = state.most;
	looking->out->arenas[index] = *tally;
}

/* The arena that a chunk is in; NULL: it is of none. */
static struct malloc_arena *arena_of(struct looking *looking, uint64_t chunk)
{
	unsigned word = looking->layout->word;
	const char *at = malloc_view_at(&looking->near, chunk + word, word);
	struct heap heap;

	if (!at)
		return NULL;
	if (!(malloc_word(at, word) & CHUNK_NOT_MAIN))
		return &looking->out->arenas[0];
	if (!read_heap(looking, chunk & ~(looking->heap_size - 1), &heap))
		return NULL;
	for (size_t i = 1; i < looking->ring.count; i++)
		if (looking->out->arenas[i].address == heap.arena)
			return &looking->out->arenas[i];
	return NULL;
}

/* The caches that were met: how many, and where no key tells their chunks, these. */
static void count_caches(struct looking *looking, struct malloc_arena *main_arena)
{
	malloc_view_forget(&looking->near);
	malloc_cached_sort(&looking->caches);
	for (size_t i = 0; i < looking->caches.count; i++) {
		uint64_t chunk = looking->caches.chunks[i];

		looking->out->facts.caches +=
			add_cache(looking, chunk, size_of_chunk(looking, chunk));
	}
	if (looking->walk.key)
		return;
	malloc_cached_sort(&looking->cached);
	for (size_t i = 0; i < looking->cached.count; i++) {
		uint64_t chunk = looking->cached.chunks[i], size = size_of_chunk(looking, chunk);
		struct malloc_arena *arena = arena_of(looking, chunk);

		if (!arena || arena->in_use < size || !arena->chunks_in_use)
			continue;
		arena->in_use -= size;
		arena->chunks_in_use--;
		malloc_walk_cached(&looking->walk, arena, chunk, size);
	}
	main_arena->torn += looking->cached.broken;
}

static void note_facts(struct looking *looking)
{
	struct malloc_facts *facts = &looking->out->facts;
	const struct malloc_par *par = &looking->par;

	facts->arenas = looking->ring.count;
	facts->heap_size = looking->heap_size;
	facts->cut = looking->ring.cut || looking->fast.cut || looking->cached.cut;
	facts->stopped = looking->view.stopped || looking->near.stopped;
	facts->par = par->known;
	facts->mmapped = par->mmapped;
	facts->mmapped_chunks = par->mmaps;
	facts->mmapped_most = par->mmapped_most;
	facts->trim_threshold = par->trim_threshold;
	facts->top_pad = par->top_pad;
	facts->mmap_threshold = par->mmap_threshold;
	facts->fixed = par->fixed;
	facts->arena_max = par->arena_max;
	facts->cache_count = par->cache_count;
}

static void look_at_arenas(struct looking *looking)
{
	struct malloc_look *out = looking->out;

	looking->view.source->refresh(looking->view.source);
	looking->heap_size = find_heap_size(looking);
	looking->walk.trim_page = looking->par.thp_page ? looking->par.thp_page :
							  looking->view.page;
	read_fast(looking);
	learn_caches(looking);
	out->arenas = mem_zalloc(looking->ring.count * sizeof(out->arenas[0]));
	for (size_t i = 0; i < looking->ring.count; i++) {
		out->arenas[i].address = looking->ring.states[i].addr;
		if (!looking->view.stopped)
			walk_arena(looking, i);
	}
	count_caches(looking, out->arenas);
	out->arenas[0].torn += looking->fast.broken;
	note_facts(looking);
}

static bool is_used(const struct looking *looking)
{
	for (size_t i = 0; i < looking->ring.count; i++)
		if (looking->ring.states[i].system)
			return true;
	return looking->par.known && looking->par.mmapped;
}

void malloc_look(struct malloc_source *source, bool wide, struct malloc_look *look)
{
	struct looking *looking = mem_zalloc(sizeof(*looking));
	bool found;

	*look = (struct malloc_look){ 0 };
	looking->out = look;
	looking->layout = wide ? &malloc_layout_64 : &malloc_layout_32;
	looking->walk.layout = looking->layout;
	looking->walk.view = &looking->view;
	looking->walk.fast = &looking->fast;
	looking->walk.caches = &looking->caches;
	malloc_view_init(&looking->view, source, MALLOC_VIEW_PAGES);
	malloc_view_init(&looking->near, source, 2);
	source->refresh(source);
	look->facts.word = looking->layout->word;
	found = malloc_find(looking->layout, &looking->near, &looking->ring, &looking->par);
	look->facts.outcome = !found	       ? MALLOC_ABSENT :
			      is_used(looking) ? MALLOC_FOUND :
						 MALLOC_UNUSED;
	look->facts.stopped = looking->near.stopped;
	if (look->facts.outcome == MALLOC_FOUND)
		look_at_arenas(looking);
	malloc_cached_fini(&looking->fast);
	malloc_cached_fini(&looking->caches);
	malloc_cached_fini(&looking->cached);
	free(looking->ring.states);
	malloc_view_fini(&looking->view);
	malloc_view_fini(&looking->near);
	free(looking);
}

void malloc_look_fini(struct malloc_look *look)
{
	free(look->arenas);
	look->arenas = NULL;
}
