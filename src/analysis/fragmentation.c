/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/fragmentation.h"

uint64_t frag_usable_pages(const uint64_t *free_blocks, unsigned orders, unsigned order)
{
	uint64_t pages = 0;

	for (unsigned i = order; i < orders; i++)
		pages += free_blocks[i] << i;
	return pages;
}

uint64_t frag_free_pages(const uint64_t *free_blocks, unsigned orders)
{
	return frag_usable_pages(free_blocks, orders, 0);
}

unsigned frag_unusable_index(const uint64_t *free_blocks, unsigned orders, unsigned order)
{
	uint64_t free_pages = frag_free_pages(free_blocks, orders);
	uint64_t usable = frag_usable_pages(free_blocks, orders, order);

	return free_pages ? (unsigned)((free_pages - usable) * 1000 / free_pages) : 1000;
}

int frag_external_index(const uint64_t *free_blocks, unsigned orders, unsigned order)
{
	uint64_t free_pages = frag_free_pages(free_blocks, orders), blocks = 0;

	for (unsigned i = 0; i < orders; i++)
		blocks += free_blocks[i];
	if (!blocks)
		return 0;
	if (frag_usable_pages(free_blocks, orders, order))
		return -1000;
	return (int)(1000 - (int64_t)((1000 + (free_pages * 1000 >> order)) / blocks));
}

const char *const frag_answer_names[] = {
	[FRAG_NOW] = "now",
	[FRAG_COMPACTION] = "after compaction",
	[FRAG_FREE_FIRST] = "not before memory is freed",
	[FRAG_NEVER] = "not at all",
};

/* Compaction wants room to copy to: twice the block (compact_gap()). */
static enum frag_why judge_zone(const struct frag_zone *zone, unsigned order)
{
	uint64_t free_pages = frag_free_pages(zone->free_blocks, zone->orders);
	uint64_t spare = free_pages > zone->kept ? free_pages - zone->kept : 0;
	uint64_t size = 1ull << order;

	if (zone->closed)
		return FRAG_WHY_CLOSED;
	if (frag_usable_pages(zone->free_blocks, zone->orders, order))
		return spare >= size ? FRAG_WHY_BLOCKS : FRAG_WHY_KEPT;
	if (spare < 2 * size || frag_external_index(zone->free_blocks, zone->orders, order) < 500)
		return FRAG_WHY_LITTLE;
	return FRAG_WHY_PIECES;
}

static enum frag_answer answer_of(enum frag_why why)
{
	switch (why) {
	case FRAG_WHY_BLOCKS:
		return FRAG_NOW;
	case FRAG_WHY_PIECES:
		return FRAG_COMPACTION;
	case FRAG_WHY_UNMOVABLE:
		return FRAG_NEVER;
	case FRAG_WHY_KEPT:
	case FRAG_WHY_LITTLE:
	case FRAG_WHY_CLOSED:
		break;
	}
	return FRAG_FREE_FIRST;
}

struct frag_verdict frag_judge(const struct frag_zone *zones, size_t count,
			       const struct frag_blocks *blocks, unsigned order)
{
	struct frag_verdict verdict = { .order = order, .why = FRAG_WHY_CLOSED };

	for (size_t i = 0; i < count; i++) {
		const struct frag_zone *zone = &zones[i];
		uint64_t free_pages = frag_free_pages(zone->free_blocks, zone->orders);
		enum frag_why why = judge_zone(zone, order);
		int index = frag_external_index(zone->free_blocks, zone->orders, order);

		if (why < verdict.why)
			verdict.why = why;
		if (zone->closed)
			continue;
		verdict.blocks += frag_usable_pages(zone->free_blocks, zone->orders, order) >>
				  order;
		verdict.spare_pages += free_pages > zone->kept ? free_pages - zone->kept : 0;
		if (index > verdict.index)
			verdict.index = index;
	}
	/* smaller blocks fit between what can not move */
	if (verdict.why == FRAG_WHY_PIECES && blocks->known && order >= blocks->order &&
	    !blocks->movable)
		verdict.why = FRAG_WHY_UNMOVABLE;
	verdict.answer = answer_of(verdict.why);
	return verdict;
}
