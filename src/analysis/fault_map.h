/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FAULT_MAP_H
#define VMVIEW_ANALYSIS_FAULT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/fault_pages.h"
#include "base/arena.h"
#include "base/index.h"
#include "model/fault.h"
#include "model/kind.h"

struct vma;

/* How many faults, by reason; estimates where not all are recorded. */
struct fault_tally {
	uint64_t by[FAULT_REASON_COUNT];
	uint64_t major;
};

uint64_t fault_tally_sum(const struct fault_tally *tally);

/* A mapping that is, or was meanwhile. */
struct fault_mapping {
	uint64_t start, end, offset, inode;
	struct bytes path; /* without " (deleted)" */
	struct bytes name; /* for people */
	const char *kind_reason; /* why the kind is not certain; NULL: it is */
	enum vma_kind kind;
	bool deleted;
	bool born; /* it came meanwhile */
	struct fault_place place;
	struct fault_tally tally;
};

/*
 * The mappings of a process while they change: those at the beginning, then each that the kernel tells
 * of: made, grown, or with other access rights. What is unmapped is not told.
 */
struct fault_map {
	struct fault_mapping *list;
	size_t count, cap;
	size_t born; /* events of new ones */
	uint64_t born_bytes;
	/* its own */
	struct arena arena;
	struct index index;
	struct fault_extent *extents;
	size_t extent_count, extent_cap;
};

enum { FAULT_MAPPINGS_MAX = 1 << 18 };

void fault_map_init(struct fault_map *map);
void fault_map_fini(struct fault_map *map);

/* A mapping of the beginning; they come by rising addresses. walked: its pages are known. */
void fault_map_add(struct fault_map *map, const struct vma *vma, bool walked);

/* Does the walk at the beginning have to see its pages? */
bool fault_map_wants_pages(const struct vma *vma);

void fault_map_change(struct fault_map *map, const struct fault_event *event);

/* The index of the mapping at addr in list; INDEX_NONE: there is none. */
uint32_t fault_map_find(const struct fault_map *map, uint64_t addr);

#endif
