/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_PAGEBLOCKS_H
#define VMVIEW_ANALYSIS_PAGEBLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/frame_class.h"

/*
 * Pageblocks by what is in them. A pageblock is what the kernel keeps movable and unmovable memory apart
 * by, and as big as a huge page on most machines: one that is whole and free is a huge page.
 */
enum pageblock_use {
	BLOCK_USE_FREE,
	BLOCK_USE_MOVABLE,
	BLOCK_USE_UNMOVABLE,
	BLOCK_USE_HELD,
	BLOCK_USES
};

/* Frames of each use; fewer than the pageblock has where some of it is no memory. */
struct pageblock {
	uint32_t frames[BLOCK_USES];
};

/* Of one kind each: the first in this order that fits. */
enum pageblock_kind {
	PAGEBLOCK_HOLE, /* no memory */
	PAGEBLOCK_PARTIAL, /* some of it is no memory: never whole */
	PAGEBLOCK_FREE,
	PAGEBLOCK_NEARLY_FREE, /* 15/16 and more of it is free */
	PAGEBLOCK_MOVABLE, /* all that is used can be moved or reclaimed */
	PAGEBLOCK_HELD, /* hugetlb or balloon, and nothing unmovable */
	PAGEBLOCK_MIXED, /* less than half of it can not be moved */
	PAGEBLOCK_UNMOVABLE,
	PAGEBLOCK_KINDS,
};

struct pageblock_kind_info {
	const char *name, *help;
	char letter; /* in pictures of memory */
};

extern const struct pageblock_kind_info pageblock_kinds[PAGEBLOCK_KINDS];

enum pageblock_use pageblock_use_of(enum frame_mobility mobility);

/* size: frames of a pageblock. */
enum pageblock_kind pageblock_kind_of(const struct pageblock *block, uint64_t size);

/* Whether compaction could make it whole, for all that flags tell: nothing in it is unmovable or held. */
bool pageblock_can_empty(const struct pageblock *block, uint64_t size);

#endif
