/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_COW_READ_H
#define VMVIEW_CMD_COW_READ_H

#include <stdbool.h>

#include "analysis/cow.h"
#include "model/vma.h"
#include "source/caps.h"

struct context;
struct error;

/* A mapping of the parent, or a range that only the child has mapped. */
struct cow_row {
	struct vma vma;
	struct cow_tally tally; /* pages */
	uint64_t page_size;
	bool child_only;
};

struct cow_reader {
	struct context *ctx;
	struct caps caps; /* CAPS_FRAMES has to be there */
	bool kinds; /* look at mapped files to tell the kind of each mapping */
	/* a mapping with any page in it; NULL: only the sum is wanted */
	void (*take)(void *ctx, const struct cow_row *row);
	void (*forget)(void *ctx); /* what was taken: it is read anew */
	void *opaque;
};

/* What became of it. */
enum cow_end {
	COW_READ,
	COW_NOTHING, /* one has no memory, or both have the same: there is nothing to compare */
	COW_NO_CHILD, /* the child is gone, or can not be read */
	COW_NO_PARENT, /* so that no other child can be compared either */
};

/*
 * Compare the private memory of two processes, address by address; *total is the sum. Both are visited
 * (engine/visit.h), the child within the visit of its parent, and walked side by side in one pass; nothing is
 * kept but a window of the parent. err says why not; *gone: one has ended.
 */
enum cow_end cow_read(const struct cow_reader *reader, int parent, int child,
		      struct cow_tally *total, bool *gone, struct error *err);

#endif
