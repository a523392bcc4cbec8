/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_THP_H
#define VMVIEW_SOURCE_THP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/thp.h"

struct arena;
struct root;

/*
 * What is chosen in a file like "always [madvise] never"; pure. THP_UNKNOWN where nothing is, and for
 * "inherit", which stands for above.
 */
struct thp_setting thp_setting_parse(struct bytes text, struct thp_setting above);

/* The settings of /sys/kernel/mm/transparent_hugepage; what is not there stays unknown. */
void thp_read(struct thp *thp, const struct root *root, uint64_t page_size, struct arena *arena);

/*
 * Bytes of a huge page that a PMD maps: hpage_pmd_size, which is there since 4.10; before, what a page of
 * page table entries covers. 0: the kernel has none.
 */
uint64_t thp_size(const struct root *root, uint64_t page_size);

/* A pool of hugetlb pages of one size on one node. */
struct huge_pool {
	int node; /* NODE_UNKNOWN: of the machine, which has no nodes */
	uint64_t size; /* of a page, bytes */
	uint64_t total, free, surplus; /* pages */
	bool reserved_known; /* not of one of several nodes: the kernel promises pages of the machine */
	uint64_t reserved; /* of the free: promised to mappings */
};

/* The pools that hold pages, of all nodes, into arena. Returns how many. */
size_t huge_pools_read(const struct root *root, struct arena *arena, struct huge_pool **out);

#endif
