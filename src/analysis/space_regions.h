/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_SPACE_REGIONS_H
#define VMVIEW_ANALYSIS_SPACE_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vma_store;

/* A picture has so many rows at most: regions, and the gaps between them. */
enum { SPACE_REGIONS = 9, SPACE_ROWS = 2 * SPACE_REGIONS - 1 };

/* Mappings that lie close to each other, or a gap between two such regions. */
struct space_region {
	uint64_t start, end;
	uint64_t mapped; /* bytes; 0: a gap */
	size_t first, count; /* mappings of the store */
	bool grows; /* the heap ends where this gap begins */
};

struct space_regions {
	struct space_region rows[SPACE_ROWS];
	size_t count;
	uint64_t mappings, mapped;
	uint64_t largest; /* mapped bytes of the largest region */
	uint64_t heap_end,
		heap_room; /* as far as no mapping is in the way; heap_end 0: there is no heap */
};

/*
 * Cut an address space where its largest gaps are, so that what is left is regions. Mappings in rising
 * order; those of the kernel's half ([vsyscall]) are none of it.
 */
void space_regions_make(struct space_regions *regions, const struct vma_store *vmas);

#endif
