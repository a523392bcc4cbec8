/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_BUDDYINFO_H
#define VMVIEW_SOURCE_BUDDYINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct error;

enum { BUDDY_ORDERS_MAX = 64, BUDDY_NODES_MAX = 1024 };

/* Free blocks of a zone, or of one migrate type of a zone. A block of order k is 2^k pages. */
struct buddy_zone {
	uint32_t node;
	struct bytes zone;	/* "Normal" */
	struct bytes type;	/* "Movable"; empty: all types */
	unsigned orders;	/* how many counts there are: MAX_PAGE_ORDER + 1 */
	uint64_t free_blocks[BUDDY_ORDERS_MAX];
	uint64_t at_least;	/* bit of each order whose count the kernel cut off (">100000") */
};

/*
 * Parse /proc/buddyinfo: "Node 0, zone   Normal  216  55 ...", one line a zone; pure. Lines of
 * another shape are counted in *malformed. The list lives in arena, names point into text. Returns 0,
 * or -EPROTO where not one line is of this shape.
 */
int buddyinfo_parse(struct bytes text, struct arena *arena, struct buddy_zone **out, size_t *count,
		    size_t *malformed, struct error *err);

/* How many pageblocks of a zone are of a migrate type (pagetypeinfo, "Number of blocks type"). */
struct pageblock_count {
	uint32_t node;
	struct bytes zone, type;
	uint64_t blocks;
};

struct pagetypeinfo {
	unsigned block_order;	/* a pageblock is 2^block_order pages */
	struct buddy_zone *zones;	/* by type */
	size_t zone_count;
	struct pageblock_count *blocks;
	size_t block_count;
	size_t malformed;
};

/* Parse /proc/pagetypeinfo (mode 0400); pure, in the same way. */
int pagetypeinfo_parse(struct bytes text, struct arena *arena, struct pagetypeinfo *out,
		       struct error *err);

#endif
