/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_CONTIGUITY_H
#define VMVIEW_ANALYSIS_CONTIGUITY_H

#include <stdbool.h>
#include <stdint.h>

enum { CONTIGUITY_ORDERS = 48 };

/*
 * Physical contiguity of a range of addresses: how far consecutive pages lie in consecutive frames,
 * whatever folios these belong to.
 */
struct contiguity {
	uint64_t pages, runs, longest;		/* longest in pages */
	uint64_t runs_of[CONTIGUITY_ORDERS];	/* runs of 2^n to 2^(n+1) - 1 pages */
	/*
	 * Pages in whole blocks of so many pages whose address and frame are both aligned: what a
	 * bigger page of hardware could map.
	 */
	struct contiguity_block {
		uint64_t size, pages;
	} small, big;
	uint64_t vpn, pfn, count;		/* the run that may still grow */
};

/* small and big in pages: 64 KiB and what a PMD maps. */
void contiguity_init(struct contiguity *contiguity, uint64_t small, uint64_t big);

/* count pages from virtual page number vpn on, in frames from pfn on; in rising order. */
void contiguity_add(struct contiguity *contiguity, uint64_t vpn, uint64_t pfn, uint64_t count);

/* No more pages of this range. */
void contiguity_end(struct contiguity *contiguity);

/* Add the counts of another one that ended. */
void contiguity_merge(struct contiguity *into, const struct contiguity *from);

#endif
