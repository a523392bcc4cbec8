/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_FRAG_BLOCKERS_H
#define VMVIEW_CMD_FRAG_BLOCKERS_H

#include "analysis/blockers.h"
#include "engine/who_search.h"
#include "source/frames.h"

/* What is left in pageblocks that are nearly free, and who has it: frag_blockers.c reads. */
struct frag_blockers {
	struct blockers owners;
	struct blocker_frame *frames; /* in rising order; heap */
	size_t count, cap;
	uint32_t *first; /* by pageblock: the first of its frames; heap */
	unsigned shift; /* from frames to pageblocks */
	struct frames source;
	struct who_search search;
	bool searched;
	size_t open; /* frames of which mappings are not found yet */
	const char *reason; /* why owners were not searched for */
	uint64_t passed_over; /* pageblocks that are too many to be looked at */
};

#endif
