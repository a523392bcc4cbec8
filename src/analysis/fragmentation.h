/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FRAGMENTATION_H
#define VMVIEW_ANALYSIS_FRAGMENTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How fragmented free memory is, from the number of free blocks of each order, as the kernel works
 * it out (mm/vmstat.c; debugfs extfrag/unusable_index and extfrag_index print the same thousandths).
 */

/* Free pages, and how many of them stand in blocks of at least order. */
uint64_t frag_free_pages(const uint64_t *free_blocks, unsigned orders);
uint64_t frag_usable_pages(const uint64_t *free_blocks, unsigned orders, unsigned order);

/*
 * The unusable free space index, in thousandths: the share of free memory that can not serve an
 * allocation of order. 0: all can; 1000: none, or nothing is free.
 */
unsigned frag_unusable_index(const uint64_t *free_blocks, unsigned orders, unsigned order);

/*
 * The fragmentation index of an allocation that would fail, in thousandths: near 0 it would fail for
 * want of memory, near 1000 because free memory is in pieces (the kernel compacts above
 * vm.extfrag_threshold, 500). -1000: the allocation would not fail.
 */
int frag_external_index(const uint64_t *free_blocks, unsigned orders, unsigned order);

/* A zone, as an allocation that may go to any zone meets it (__zone_watermark_ok()). */
struct frag_zone {
	const uint64_t *free_blocks;
	unsigned orders;
	bool closed; /* kept for devices: ordinary allocations never get in */
	uint64_t kept; /* pages: so many have to stay free (min watermark and lowmem_reserve) */
};

/* Pageblocks of the zones that are not closed; known false: frames could not be read. */
struct frag_blocks {
	bool known;
	unsigned order; /* a pageblock is 2^order pages */
	uint64_t movable; /* pageblocks without any memory that can not move */
};

enum frag_answer {
	FRAG_NOW,
	FRAG_COMPACTION, /* compaction moves used pages together */
	FRAG_FREE_FIRST, /* reclaim, or processes that end, have to free memory before */
	FRAG_NEVER, /* as long as the memory that can not move stays where it is */
};

enum frag_why {
	FRAG_WHY_BLOCKS, /* such blocks are free */
	FRAG_WHY_PIECES, /* memory is free, but in pieces */
	FRAG_WHY_KEPT, /* such blocks are free, but the zone keeps what it has */
	FRAG_WHY_LITTLE, /* too little is free */
	FRAG_WHY_UNMOVABLE, /* in pieces, and every pageblock holds something that can not move */
	FRAG_WHY_CLOSED, /* only zones for devices have any */
};

struct frag_verdict {
	unsigned order;
	enum frag_answer answer;
	enum frag_why why;
	uint64_t blocks; /* free of that order and above, in zones that are not closed */
	uint64_t spare_pages; /* free, above what the zones keep */
	int index; /* the greatest fragmentation index of a zone; 0 where it has blocks */
};

/* Can the machine give a block of this order: the zone that is best for it tells. */
struct frag_verdict frag_judge(const struct frag_zone *zones, size_t count,
			       const struct frag_blocks *blocks, unsigned order);

extern const char *const frag_answer_names[];

#endif
