/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_PAGE_RUN_H
#define VMVIEW_MODEL_PAGE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/page.h"

struct vma;

enum {
	PAGE_ORDER_UNKNOWN = 255,
	PAGE_NODE_UNKNOWN = -1,
};

/*
 * Why a process's pages do not have what they could have: by what it is of, NULL where it is known.
 * Reasons as in struct value.
 */
struct page_absent {
	const char *frames; /* numbers of frames and swap slots, and all that needs them */
	const char *flags, *counts, *cgroups; /* of frames, where their numbers are known too */
	const char *mapped; /* the level that maps a page */
	const char *soft_dirty;
};

/*
 * Pages one behind the other that are equal: same state, same bits, consecutive frames or swap slots
 * where these are known. Also a single page. Of a folio's pages the first (compound_head) and the
 * others (compound_tail) count as equal: a run that holds both has both flags.
 */
struct page_run {
	uint64_t start, pages;		/* address; number of pages */
	uint64_t word;			/* pagemap word of the first page */
	uint64_t flags;			/* kpageflags, where has_flags */
	uint64_t map_count;		/* of each page, where has_count */
	uint64_t cgroup;		/* inode, where has_cgroup; 0: charged to none */
	int32_t node;			/* or PAGE_NODE_UNKNOWN */
	uint8_t state;			/* enum page_state */
	uint8_t mapped;			/* enum page_mapped */
	uint8_t order;			/* of the folio, 0: a single page; PAGE_ORDER_UNKNOWN */
	bool has_flags, has_count, has_cgroup;
	bool average;			/* map_count is the folio's average: this kernel counts no more */
	bool no_memory;			/* a device, a hole, or offline: the frame has no flags */
	bool changed;			/* flags contradict the word, which was read before: torn */
	/* set when a run is complete */
	uint64_t said;			/* flags that a table said once, of all its rows */
	const struct page_absent *absent;
	uint64_t page_size;		/* bytes */
	const struct vma *vma;
	struct bytes cgroup_path;	/* len 0: gone */
	struct bytes zone, device;	/* len 0: not known */
};

static inline bool page_run_has_frame(const struct page_run *run)
{
	return run->word & PAGEMAP_PRESENT && run->word & PAGEMAP_PAYLOAD;
}

static inline uint64_t page_run_pfn(const struct page_run *run)
{
	return pagemap_pfn(run->word);
}

#endif
