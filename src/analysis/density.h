/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_DENSITY_H
#define VMVIEW_ANALYSIS_DENSITY_H

#include <stdbool.h>
#include <stdint.h>

struct vma;

/* Pages in runs of so many at most stand alone. */
enum { DENSITY_FEW = 4 };

/* How thinly the memory of a mapping is spread, over its addresses and over frames. In pages. */
struct density {
	uint64_t present;
	uint64_t used; /* with some content: present, in swap, zero pages, markers */
	uint64_t runs; /* of present pages one behind the other */
	uint64_t few, few_runs; /* present pages in runs of 1 to DENSITY_FEW, and these runs */
	uint64_t top; /* pages from the start to behind the last used one */
	uint64_t frame_runs, frame_longest; /* pages one behind the other in frames that are too */
	bool hidden; /* frame numbers are not shown to us: frame_* mean nothing */
};

/* The counting of a mapping; pages come in rising order. */
struct density_walk {
	struct density *out;
	uint64_t start; /* page number of the mapping's start */
	uint64_t next, run; /* the run that may still grow */
	uint64_t next_pfn, frame_run;
};

void density_begin(struct density_walk *walk, struct density *out, uint64_t start_vpn);

/* count present pages from vpn on, in frames from pfn on (0: hidden; step: do frames go on, or stay). */
void density_add(struct density_walk *walk, uint64_t vpn, uint64_t pfn, uint64_t count, bool step);

/* Pages that have content, but are not present. */
void density_add_used(struct density_walk *walk, uint64_t vpn, uint64_t count);

void density_end(struct density_walk *walk);

/* Add b to a: all but top, which is of one mapping. */
void density_merge(struct density *a, const struct density *b);

/*
 * Whether a mapping looks like an arena that malloc of glibc made for a thread: anonymous, writable, at
 * a multiple of 64 MiB (HEAP_MAX_SIZE of 64 bits), and either that long or with what is kept for it
 * behind, up to there. next: the mapping behind it, or NULL. A guess.
 */
bool density_may_be_arena(const struct vma *vma);	/* as far as it alone tells */
bool density_is_arena(const struct vma *vma, const struct vma *next);

#endif
