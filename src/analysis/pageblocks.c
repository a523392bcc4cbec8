/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/pageblocks.h"

const struct pageblock_kind_info pageblock_kinds[PAGEBLOCK_KINDS] = {
	[PAGEBLOCK_HOLE] = { "hole", "no memory", ' ' },
	[PAGEBLOCK_PARTIAL] = { "partial", "some of it is no memory", '-' },
	[PAGEBLOCK_FREE] = { "free", "all of it is free", '.' },
	[PAGEBLOCK_NEARLY_FREE] = { "nearly_free", "15/16 and more is free", 'n' },
	[PAGEBLOCK_MOVABLE] = { "movable", "all that is used can move", 'm' },
	[PAGEBLOCK_HELD] = { "held", "hugetlb or balloon, else movable", 'H' },
	[PAGEBLOCK_MIXED] = { "mixed", "under a half is unmovable", 'x' },
	[PAGEBLOCK_UNMOVABLE] = { "unmovable", "half or more is unmovable", 'U' },
};

enum pageblock_use pageblock_use_of(enum frame_mobility mobility)
{
	switch (mobility) {
	case MOBILITY_FREE:
		return BLOCK_USE_FREE;
	case MOBILITY_RECLAIMABLE:
	case MOBILITY_MOVABLE:
		return BLOCK_USE_MOVABLE;
	case MOBILITY_CONDITIONAL:
		return BLOCK_USE_HELD;
	case MOBILITY_UNMOVABLE:
		return BLOCK_USE_UNMOVABLE;
	case MOBILITY_NONE:
	case MOBILITY_COUNT:
		break;
	}
	return BLOCK_USES;
}

static uint64_t memory_of(const struct pageblock *block)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < BLOCK_USES; i++)
		frames += block->frames[i];
	return frames;
}

enum pageblock_kind pageblock_kind_of(const struct pageblock *block, uint64_t size)
{
	uint64_t memory = memory_of(block), unmovable = block->frames[BLOCK_USE_UNMOVABLE];

	if (!memory)
		return PAGEBLOCK_HOLE;
	if (memory < size)
		return PAGEBLOCK_PARTIAL;
	if (block->frames[BLOCK_USE_FREE] == size)
		return PAGEBLOCK_FREE;
	if (block->frames[BLOCK_USE_FREE] >= size - size / 16)
		return PAGEBLOCK_NEARLY_FREE;
	if (unmovable)
		return unmovable * 2 >= size ? PAGEBLOCK_UNMOVABLE : PAGEBLOCK_MIXED;
	return block->frames[BLOCK_USE_HELD] ? PAGEBLOCK_HELD : PAGEBLOCK_MOVABLE;
}

bool pageblock_can_empty(const struct pageblock *block, uint64_t size)
{
	return memory_of(block) == size && !block->frames[BLOCK_USE_UNMOVABLE] &&
	       !block->frames[BLOCK_USE_HELD];
}
