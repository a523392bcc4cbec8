/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_ADDRESS_SPACE_H
#define VMVIEW_ANALYSIS_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/value.h"

struct vma;

/*
 * How an address space is cut up, fed with its mappings in order: gaps between them, and neighbours
 * that touch and would be one mapping but for a single attribute.
 */
enum { SPACE_ORDERS = 64, SPACE_SPLITS = 32, SPACE_WHY = 24, SPACE_FLAGS = 256 };

/* Neighbours that only this keeps apart. */
struct space_split {
	char why[SPACE_WHY];	/* "rights", "flag hg", "nothing visible" */
	uint64_t pairs;
};

struct address_space {
	uint64_t mappings;
	struct number size, rss;
	uint64_t gaps, gap_bytes, largest_gap, largest_gap_at;
	uint64_t gap_orders[SPACE_ORDERS];	/* gaps of 2^k pages up to the next power */
	uint64_t splits_lost;			/* pairs with a reason beyond SPACE_SPLITS */
	size_t split_count;
	struct space_split splits[SPACE_SPLITS];
	/* the mapping before */
	bool has_before;
	uint64_t end, offset_end, inode, dev;
	uint8_t perm;
	size_t flags_len;
	char flags[SPACE_FLAGS];
};

void address_space_init(struct address_space *space);

/* Mappings of the kernel's half (vsyscall) are not part of the space. */
void address_space_add(struct address_space *space, const struct vma *vma, uint64_t page_size);

#endif
