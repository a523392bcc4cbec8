/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_SHARING_PAIRS_H
#define VMVIEW_ANALYSIS_SHARING_PAIRS_H

#include "analysis/sharing.h"

/* What two processes of a finished join (a < b) have in common, in frames. */
struct sharing_pair {
	uint32_t a, b;
	uint64_t total;
	uint64_t frames[SHARE_KINDS];
};

struct sharing_pairs {
	struct sharing_pair *pair; /* heap; largest first */
	size_t count;
	size_t all; /* pairs that share anything, of which the first count are there */
};

/*
 * The max pairs that share most. There is never a matrix of all: it is made by bands of rows of half a
 * MiB, each from all groups. Where the join is not exact these are lower bounds.
 */
void sharing_pairs_make(const struct sharing *sharing, size_t max, struct sharing_pairs *out);
void sharing_pairs_free(struct sharing_pairs *pairs);

/*
 * Frames of the processes with the same label, each counted once: footprint[label] of labels that
 * are below count. Frames of crowds are in none.
 */
void sharing_roll_up(const struct sharing *sharing, const uint32_t *label_of,
		     uint64_t (*footprint)[SHARE_KINDS], uint32_t count);

#endif
