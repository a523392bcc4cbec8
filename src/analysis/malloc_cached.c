/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/malloc_cached.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/list.h"

enum { MANGLE_SHIFT = 12, KEY_LEAST = 1 << 20, LEARN_MOST = 32 };

void malloc_cached_fini(struct malloc_cached *cached)
{
	free(cached->chunks);
	*cached = (struct malloc_cached){ 0 };
}

void malloc_cached_sort(struct malloc_cached *cached)
{
	size_t kept = 0;

	list_sort_u64(cached->chunks, cached->count);
	for (size_t i = 0; i < cached->count; i++)
		if (!kept || cached->chunks[kept - 1] != cached->chunks[i])
			cached->chunks[kept++] = cached->chunks[i];
	cached->count = kept;
}

/* The word that links a chunk to the next. */
static bool read_link(const struct malloc_layout *layout, struct malloc_view *view, uint64_t chunk,
		      uint64_t *link)
{
	uint64_t addr = chunk + MALLOC_HEADER_WORDS * (uint64_t)layout->word;
	const char *at = malloc_view_at(view, addr, layout->word);

	if (at)
		*link = malloc_word(at, layout->word);
	return at;
}

static uint64_t mask_of(const struct malloc_layout *layout, uint64_t chunk)
{
	return (chunk + MALLOC_HEADER_WORDS * (uint64_t)layout->word) >> MANGLE_SHIFT;
}

/* The chunk that a link leads to. */
static uint64_t linked_chunk(const struct malloc_layout *layout, const struct malloc_list *list,
			     uint64_t link)
{
	return list->of_cache ? link - MALLOC_HEADER_WORDS * (uint64_t)layout->word : link;
}

/* A link that makes sense: to a place for a chunk, or the end. */
static bool is_link(const struct malloc_layout *layout, const struct malloc_view *view,
		    const struct malloc_list *list, uint64_t link)
{
	uint64_t chunk = linked_chunk(layout, list, link);

	return !link || (malloc_is_chunk(layout, chunk) && malloc_view_mapping(view, chunk));
}

static bool has_size(const struct malloc_layout *layout, struct malloc_view *view, uint64_t chunk,
		     uint64_t size)
{
	const char *at = malloc_view_at(view, chunk, MALLOC_HEADER_WORDS * (size_t)layout->word);

	return at && (malloc_word(at + layout->word, layout->word) & ~(uint64_t)CHUNK_BITS) == size;
}

static bool is_chunk_of(const struct malloc_layout *layout, struct malloc_view *view,
			const struct malloc_list *list, uint64_t chunk)
{
	return malloc_is_chunk(layout, chunk) && has_size(layout, view, chunk, list->size);
}

/* Go to the next chunk of the list, 0 at the end. False where there is no link: the list is broken. */
static bool follow(const struct malloc_layout *layout, struct malloc_view *view,
		   const struct malloc_list *list, bool mangled, uint64_t *chunk)
{
	uint64_t link;

	if (!read_link(layout, view, *chunk, &link))
		return false;
	/* the last one is not 0 where links are mangled, but the mask itself */
	if (mangled)
		link ^= mask_of(layout, *chunk);
	*chunk = link ? linked_chunk(layout, list, link) : 0;
	return is_link(layout, view, list, link);
}

void malloc_cached_learn(struct malloc_cached *cached, const struct malloc_layout *layout,
			 struct malloc_view *view, const struct malloc_list *list)
{
	for (int mangled = 0; mangled < 2; mangled++) {
		uint64_t chunk = list->first;

		for (uint64_t i = 0; chunk && i < LEARN_MOST && i < list->most; i++)
			if (!is_chunk_of(layout, view, list, chunk) ||
			    !follow(layout, view, list, mangled, &chunk)) {
				cached->bad[mangled]++;
				break;
			}
	}
}

void malloc_cached_add(struct malloc_cached *cached, const struct malloc_layout *layout,
		       struct malloc_view *view, const struct malloc_list *list)
{
	bool mangled = cached->bad[1] < cached->bad[0];
	uint64_t chunk = list->first;

	for (uint64_t i = 0; chunk; i++) {
		if (cached->count == CACHED_MAX) {
			cached->cut = true;
			return;
		}
		if (i == list->most || !is_chunk_of(layout, view, list, chunk))
			break;
		cached->chunks = mem_room(cached->chunks, cached->count, &cached->cap,
					  sizeof(cached->chunks[0]));
		cached->chunks[cached->count++] = chunk;
		if (!follow(layout, view, list, mangled, &chunk))
			break;
	}
	cached->broken += chunk != 0;
}

static uint64_t counter_at(const char *bytes, unsigned size)
{
	uint16_t wide;

	if (size == 1)
		return (uint8_t)*bytes;
	memcpy(&wide, bytes, sizeof(wide));
	return wide;
}

bool malloc_cache_read(const struct malloc_layout *layout, const struct malloc_cache_layout *kind,
		       struct malloc_view *view, uint64_t chunk, uint64_t most,
		       struct malloc_cache *cache)
{
	char bytes[0x300];
	uint64_t start = chunk + MALLOC_HEADER_WORDS * (uint64_t)layout->word;
	uint64_t sum = 0;

	if (!malloc_view_copy(view, start, bytes,
			      kind->entries + (size_t)kind->lists * layout->word))
		return false;
	cache->lists = kind->lists;
	for (size_t i = 0; i < kind->lists; i++) {
		const struct malloc_list list = { .of_cache = true };
		uint64_t count = counter_at(bytes + i * kind->counter, kind->counter);
		uint64_t head = malloc_word(bytes + kind->entries + i * layout->word, layout->word);

		if (count > most || !count != !head || !is_link(layout, view, &list, head))
			return false;
		cache->counts[i] = count;
		cache->heads[i] = head ? linked_chunk(layout, &list, head) : 0;
		sum += count;
	}
	return sum;
}

uint64_t malloc_cache_key(const struct malloc_layout *layout, struct malloc_view *view,
			  const struct malloc_cached *cached)
{
	uint64_t key = 0, lead = 0;

	/* the majority, if there is one (Boyer and Moore); numbers that are small are no keys */
	for (size_t i = 0; i < cached->count; i++) {
		const char *at = malloc_view_at(
			view, cached->chunks[i] + 3 * (uint64_t)layout->word, layout->word);
		uint64_t word = at ? malloc_word(at, layout->word) : 0;

		if (word < KEY_LEAST)
			continue;
		if (!lead)
			key = word;
		lead = word == key ? lead + 1 : lead - 1;
	}
	return lead ? key : 0;
}
