/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FRAME_SUMS_H
#define VMVIEW_ANALYSIS_FRAME_SUMS_H

#include "analysis/census.h"

/* States that frames of a class may be in, beside each other. */
enum frame_state {
	STATE_DIRTY,
	STATE_WRITEBACK,
	STATE_UNEVICTABLE,	/* mlocked, or else not to be reclaimed */
	STATE_LARGE,		/* in a folio of more than one page */
	STATE_ACTIVE,
	STATE_SWAP_CACHE,	/* has a slot in swap, too */
	STATE_MAPPED,		/* some page of the folio is mapped */
	STATE_COUNT,
};

/* Sums that the kernel keeps too, by the flags that make them: see /proc/meminfo. */
enum frame_count {
	COUNT_ACTIVE_ANON,
	COUNT_INACTIVE_ANON,
	COUNT_ACTIVE_FILE,
	COUNT_INACTIVE_FILE,
	COUNT_UNEVICTABLE,
	COUNT_MLOCKED,
	COUNT_DIRTY_FILE,
	COUNT_WRITEBACK,
	COUNT_SWAP_CACHE,
	COUNT_ANON_MAPPED,
	COUNT_FILE_MAPPED,
	COUNT_COUNT,
};

/* What words of kpageflags add up to, in frames. */
struct frame_sums {
	uint64_t total;
	uint64_t class[FRAME_CLASSES];
	uint64_t state[FRAME_CLASSES][STATE_COUNT];
	uint64_t mobility[MOBILITY_COUNT];
	uint64_t mobility_of[FRAME_CLASSES][MOBILITY_COUNT];
	uint64_t count[COUNT_COUNT];
};

/* unevictable: see frame_mobility_of(). */
void frame_sums_add(struct frame_sums *sums, uint64_t flags, uint64_t frames, bool unevictable);
void frame_sums_add_words(struct frame_sums *sums, const struct census_words *words,
			  bool unevictable);

/* Frames that no flag tells, of this class. */
void frame_sums_add_class(struct frame_sums *sums, enum frame_class class, uint64_t frames);

/* At most so many frames of one class turn out to be of another; returns how many were. */
uint64_t frame_sums_move(struct frame_sums *sums, enum frame_class from, enum frame_class to,
			 uint64_t frames);

void frame_sums_merge(struct frame_sums *sums, const struct frame_sums *other);

#endif
