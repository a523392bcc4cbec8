/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_SHARING_SETS_H
#define VMVIEW_ANALYSIS_SHARING_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/frame_words.h"
#include "analysis/sharing_figures.h"

/*
 * What the join of frames is made of: sharing.c takes frames in and moves them from set to set,
 * sharing_sum.c adds up what the sets have when all is in. Nobody else looks inside.
 */

/* A frame's word: set << KIND_BITS | kind; 0: not in the join. */
enum { KIND_BITS = 3, KIND_MASK = (1 << KIND_BITS) - 1 };

enum {
	ROOT = 0, /* the empty set */
	CROWDS = 4096, /* classes of crowds by number of mappers; the last is "so many or more" */
	CROWD_FIRST = 1,
	SET_FIRST = CROWD_FIRST + CROWDS,
	TIMES_MAX = 1024, /* a frame that one process maps more often: no longer counted */
};

static const uint32_t nobody = UINT32_MAX;

/*
 * A set is its parent and a member more, which is behind all members of the parent. A process that
 * maps a frame more than once steps to a set of its own (times), so that map counts can be explained;
 * canon is the set with the same members, each once.
 */
struct set {
	uint32_t parent, member;
	uint32_t size; /* members */
	uint32_t mappings; /* pages that lead to a frame of it */
	uint32_t times; /* of these by member */
	uint32_t canon;
	uint32_t crowded; /* frames that left it for a crowd */
};

/* The set after a page of this process; apart, since most pages need nothing else of a set. */
struct step {
	uint32_t process, to;
};

/* The frames of a set that has any, when all is added up. */
struct set_frames {
	uint64_t frames[SHARE_KINDS];
};

struct sharing {
	struct frame_words frames; /* set and kind of each */
	struct set *sets;
	struct step *steps; /* of each set; when all is added, see slot_of() */
	uint32_t set_count, set_cap, sets_left;
	double *weight; /* by set: the sum of 1 / map count of its frames */
	uint64_t counted[SHARE_KINDS]; /* frames whose map count tells whether they are closed */
	struct set_frames *slots;
	uint32_t slot_count, process_count;
	size_t slot_cap, process_cap;
	struct sharing_process *processes;
	bool crowded, finished;
	bool touched; /* the current process has added frames */
	struct sharing_total total;
};

/* A new set: parent and a member, who may be in it already. */
uint32_t sharing_set_new(struct sharing *sharing, uint32_t parent, uint32_t member);

static inline bool sharing_is_crowd(uint32_t set)
{
	return set >= CROWD_FIRST && set < SET_FIRST;
}

#endif
