/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/page.h"

enum { WORDS_FIRST = 512 };

/* What tells the kind of a folio; older kernels show it of the head alone. */
#define FOLIO_FLAGS \
	(PAGE_FLAG(LRU) | PAGE_FLAG(MMAP) | PAGE_FLAG(ANON) | PAGE_FLAG(SWAPBACKED) | \
	 PAGE_FLAG(UPTODATE) | PAGE_FLAG(DIRTY) | PAGE_FLAG(WRITEBACK) | PAGE_FLAG(ZERO) | \
	 PAGE_FLAG(MLOCKED) | PAGE_FLAG(UNEVICTABLE) | PAGE_FLAG(SWAPCACHE) | PAGE_FLAG(ACTIVE))

const char *const folio_kind_names[FOLIO_KINDS] = {
	[FOLIO_ANON] = "anonymous",
	[FOLIO_SHM] = "shm",
	[FOLIO_FILE] = "file",
};

void census_init(struct census *census, const struct census_shape *shape)
{
	size_t zones = shape->zones + 1;

	*census = (struct census){ .shape = *shape };
	census->zones = mem_zalloc(zones * sizeof(census->zones[0]));
	if (shape->block_frames)
		census->block_zeros =
			mem_zalloc(census_blocks(shape) * sizeof(census->block_zeros[0]));
	if (shape->cell_frames)
		census->cells = mem_zalloc(census_cells(shape) * sizeof(census->cells[0]));
	if (shape->pageblock_frames)
		census->pageblocks =
			mem_zalloc(census_pageblocks(shape) * sizeof(census->pageblocks[0]));
}

void census_fini(struct census *census)
{
	for (size_t i = 0; census->zones && i <= census->shape.zones; i++)
		free(census->zones[i].slots);
	free(census->zones);
	free(census->block_zeros);
	free(census->cells);
	free(census->pageblocks);
	memset(census, 0, sizeof(*census));
}

static size_t hash_of(uint64_t flags)
{
	return (size_t)((flags * 0x9e3779b97f4a7c15ull) >> 32);
}

static struct census_word *find(const struct census_words *words, uint64_t flags)
{
	size_t at = hash_of(flags) & (words->size - 1);

	while (words->slots[at].frames && words->slots[at].flags != flags)
		at = (at + 1) & (words->size - 1);
	return &words->slots[at];
}

static void grow(struct census_words *words)
{
	struct census_words bigger = { .size = words->size ? words->size * 2 : WORDS_FIRST };

	bigger.count = words->count;
	bigger.slots = mem_zalloc(bigger.size * sizeof(bigger.slots[0]));
	for (size_t i = 0; i < words->size; i++)
		if (words->slots[i].frames)
			*find(&bigger, words->slots[i].flags) = words->slots[i];
	free(words->slots);
	*words = bigger;
}

static const struct census_word *add_word(struct census_words *words, uint64_t flags,
					  uint64_t frames, bool unevictable)
{
	struct census_word *word;
	enum frame_class class;

	if (words->count * 2 >= words->size)
		grow(words);
	word = find(words, flags);
	if (!word->frames) {
		class = frame_class_of(flags);
		word->flags = flags;
		word->class = (uint8_t) class;
		word->use = (uint8_t)pageblock_use_of(
			frame_mobility_of(class, page_flags_clean(flags), unevictable));
		words->count++;
	}
	word->frames += frames;
	return word;
}

static enum folio_kind folio_kind_of(uint64_t flags)
{
	return flags & PAGE_FLAG(ANON)	     ? FOLIO_ANON :
	       flags & PAGE_FLAG(SWAPBACKED) ? FOLIO_SHM :
					       FOLIO_FILE;
}

void census_break(struct census *census)
{
	uint64_t pages = census->folio_pages;

	census->folio_pages = 0;
	if (!pages || census->folio_flags & PAGE_FLAG(ZERO))
		return;
	if (pages & (pages - 1) || pages == 1 || pages >= 1ull << CENSUS_ORDERS)
		census->torn_folios += pages;
	else
		census->folios[folio_kind_of(census->folio_flags)][__builtin_ctzll(pages)]++;
}

/* A run of equal words in the folio that is being counted; returns the word to count them by. */
static uint64_t follow_folio(struct census *census, uint64_t flags, uint64_t frames)
{
	if (flags & PAGE_FLAG(HEAD) && flags & PAGE_FLAG(THP)) {
		census_break(census);
		/* heads without tails: changed meanwhile */
		census->torn_folios += frames - 1;
		census->folio_flags = flags;
		census->folio_pages = 1;
		return flags;
	}
	if (!(flags & PAGE_FLAG(TAIL)) || !(flags & PAGE_FLAG(THP)) || !census->folio_pages) {
		census_break(census);
		return flags;
	}
	census->folio_pages += frames;
	if (!(flags & FOLIO_FLAGS))
		flags |= census->folio_flags & FOLIO_FLAGS;
	return flags;
}

/* Spread frames over pieces of equal size. */
static void add_zeros(struct census *census, uint64_t pfn, uint64_t frames)
{
	while (frames) {
		uint64_t block = pfn / census->shape.block_frames;
		uint64_t room = (block + 1) * census->shape.block_frames - pfn;
		uint64_t part = frames < room ? frames : room;

		census->block_zeros[block] += (uint32_t)part;
		pfn += part;
		frames -= part;
	}
}

static void add_cells(struct census *census, uint64_t pfn, uint64_t frames, enum frame_class class)
{
	while (frames) {
		uint64_t cell = pfn / census->shape.cell_frames;
		uint64_t room = (cell + 1) * census->shape.cell_frames - pfn;
		uint64_t part = frames < room ? frames : room;

		census->cells[cell][class] += (uint32_t)part;
		pfn += part;
		frames -= part;
	}
}

static void add_blocks(struct census *census, uint64_t pfn, uint64_t frames, unsigned use)
{
	while (frames) {
		uint64_t block = pfn / census->shape.pageblock_frames;
		uint64_t room = (block + 1) * census->shape.pageblock_frames - pfn;
		uint64_t part = frames < room ? frames : room;

		census->pageblocks[block].frames[use] += (uint32_t)part;
		pfn += part;
		frames -= part;
	}
}

static void add_run(struct census *census, size_t zone, uint64_t pfn, uint64_t flags,
		    uint64_t frames)
{
	const struct census_word *word;

	flags = follow_folio(census, flags, frames);
	word = add_word(&census->zones[zone], flags, frames, census->shape.unevictable);
	if (!flags && census->block_zeros)
		add_zeros(census, pfn, frames);
	if (census->cells)
		add_cells(census, pfn, frames, (enum frame_class)word->class);
	if (census->pageblocks && word->use < BLOCK_USES)
		add_blocks(census, pfn, frames, word->use);
}

void census_add(struct census *census, size_t zone, uint64_t pfn, const uint64_t *words,
		size_t count)
{
	size_t from = 0;

	while (from < count) {
		size_t to = from + 1;

		while (to < count && words[to] == words[from])
			to++;
		add_run(census, zone, pfn + from, words[from], to - from);
		from = to;
	}
}

void census_add_holes(struct census *census, uint64_t pfn, uint64_t count)
{
	if (census->cells)
		add_cells(census, pfn, count, FRAME_HOLE);
}

void census_merge(struct census *census, const struct census *other)
{
	size_t blocks = other->block_zeros ? census_blocks(&other->shape) : 0;
	size_t cells = other->cells ? census_cells(&other->shape) : 0;

	for (size_t zone = 0; zone <= other->shape.zones; zone++)
		for (size_t i = 0; i < other->zones[zone].size; i++)
			if (other->zones[zone].slots[i].frames)
				add_word(&census->zones[zone], other->zones[zone].slots[i].flags,
					 other->zones[zone].slots[i].frames,
					 other->shape.unevictable);
	for (size_t kind = 0; kind < FOLIO_KINDS; kind++)
		for (size_t order = 0; order < CENSUS_ORDERS; order++)
			census->folios[kind][order] += other->folios[kind][order];
	census->torn_folios += other->torn_folios;
	for (size_t i = 0; i < blocks; i++)
		census->block_zeros[i] += other->block_zeros[i];
	for (size_t i = 0; i < cells; i++)
		for (size_t class = 0; class < FRAME_CLASSES; class ++)
			census->cells[i][class] += other->cells[i][class];
	for (size_t i = 0; i < census_pageblocks(&other->shape); i++)
		for (size_t use = 0; use < BLOCK_USES; use++)
			census->pageblocks[i].frames[use] += other->pageblocks[i].frames[use];
}

/* The next empty block at or behind this frame that ends before another, or its end. */
static uint64_t next_empty(const struct census *census, uint64_t from, uint64_t to)
{
	uint64_t size = census->shape.block_frames;
	uint64_t block = size ? (from + size - 1) / size : 0;

	if (!census->block_zeros)
		return to;
	for (; (block + 1) * size <= to; block++)
		if (census->block_zeros[block] == size)
			return block * size;
	return to;
}

uint64_t census_empty(const struct census *census, uint64_t from, uint64_t to)
{
	uint64_t frames = 0;

	while ((from = next_empty(census, from, to)) < to) {
		frames += census->shape.block_frames;
		from += census->shape.block_frames;
	}
	return frames;
}

/* The frames of an empty block were counted as the kernel's. */
static void set_empty_cells(struct census *census, uint64_t from, uint64_t size,
			    enum frame_class class)
{
	uint64_t cell = census->shape.cell_frames;

	add_cells(census, from, size, class);
	for (uint64_t pfn = from, part; pfn < from + size; pfn += part) {
		part = (pfn / cell + 1) * cell - pfn;
		if (part > from + size - pfn)
			part = from + size - pfn;
		census->cells[pfn / cell][FRAME_KERNEL] -= (uint32_t)part;
	}
}

static void set_empty_blocks(struct census *census, uint64_t from, uint64_t size)
{
	uint64_t block = census->shape.pageblock_frames;

	for (uint64_t pfn = from, part; pfn < from + size; pfn += part) {
		part = (pfn / block + 1) * block - pfn;
		if (part > from + size - pfn)
			part = from + size - pfn;
		census->pageblocks[pfn / block].frames[BLOCK_USE_UNMOVABLE] -= (uint32_t)part;
	}
}

void census_set_empty(struct census *census, uint64_t from, uint64_t to, enum frame_class class)
{
	uint64_t size = census->shape.block_frames;

	if (!census->cells && !census->pageblocks)
		return;
	for (; (from = next_empty(census, from, to)) < to; from += size) {
		if (census->cells)
			set_empty_cells(census, from, size, class);
		if (census->pageblocks && frame_classes[class].mobility == MOBILITY_NONE)
			set_empty_blocks(census, from, size);
	}
}
