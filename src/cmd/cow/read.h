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

typedef void (*cow_sink)(void *ctx, const struct cow_row *row);

struct cow_reader {
	struct context *ctx;
	struct caps caps; /* CAPS_FRAMES has to be there */
	bool kinds; /* look at mapped files to tell the kind of each mapping */
};

/*
 * Compare the private memory of two processes, address by address; each mapping with any page in it
 * goes to sink (NULL: none), *total is the sum. Both are walked side by side in one pass; nothing is
 * kept but a window of the parent. Returns 0 or -errno: -ESRCH where one is gone, -ENXIO where
 * the parent can not be read, so that no other child can be either, -EINVAL where they have one
 * address space.
 */
int cow_read(const struct cow_reader *reader, int parent, int child, cow_sink sink, void *opaque,
	     struct cow_tally *total, struct error *err);

#endif
