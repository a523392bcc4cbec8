/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_NUMA_MAPS_H
#define VMVIEW_SOURCE_NUMA_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct error;
struct procdir;

enum { NUMA_NODES_MAX = 1024 };

/* Bytes of a mapping that are on a node. */
struct numa_share {
	uint32_t node;
	uint64_t bytes;
};

/* A line of /proc/PID/numa_maps (show_numa_map() in fs/proc/task_mmu.c). It has no end: see maps. */
struct numa_vma {
	uint64_t start;
	struct bytes policy; /* "default", "interleave:0-3", "prefer (many):0-1" */
	struct numa_share *shares; /* by node, rising; only nodes that have some */
	size_t share_count;
	uint64_t page_size; /* bytes that the kernel counts in; 0: not told (before 3.10) */
	uint64_t swapcache; /* bytes that are in swap too */
	bool huge; /* hugetlb: pages are counted in huge ones */
	bool no_unit; /* has pages, but page_size is 0: shares are left out */
};

struct numa_maps {
	struct numa_vma *vmas; /* by start, rising */
	size_t count;
	size_t malformed, first_malformed; /* lines that are none, and the first, from 1 */
	bool cut_off; /* the memory went away while it was read */
};

/*
 * Parse the text of numa_maps; pure. page_size is what pages are counted in where the line does not
 * tell and the mapping is not hugetlb. All of out lives in arena. A line that is none is counted and
 * skipped, as is one that starts below the one before.
 */
void numa_maps_parse(struct bytes text, uint64_t page_size, struct arena *arena,
		     struct numa_maps *out);

/*
 * Read and parse it; paced, since it holds the target's lock. Returns 0 or -errno: -ENOENT where the
 * kernel has no NUMA.
 */
int numa_maps_read(const struct procdir *dir, uint64_t page_size, struct arena *arena,
		   struct numa_maps *out, struct error *err);

/* The mapping that starts there, or NULL. */
const struct numa_vma *numa_maps_find(const struct numa_maps *maps, uint64_t start);

#endif
