/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_SYSTEM_COLUMNS_H
#define VMVIEW_COLUMN_SYSTEM_COLUMNS_H

#include "analysis/frame_sums.h"
#include "analysis/reconcile.h"
#include "column/column.h"

/* A class of frames; or, with class FRAME_CLASSES, all of them. */
struct system_class_row {
	const struct frame_sums *sums;
	enum frame_class class;
	uint64_t page_size, memory;	/* memory: frames that are no holes */
	bool reasons;			/* for programs: why a fact does not apply to the class */
};

extern const struct column_set system_class_columns;
extern const char system_class_narrow[], system_class_default[], system_class_json[];

/* Frames by class of a zone, a node, a cgroup, a process. */
struct system_part_row {
	int node;
	struct bytes name;	/* of the zone */
	uint64_t start_pfn, spanned, present, managed, free;	/* by zoneinfo, frames */
	const char *no_zone;	/* why those are absent; NULL: they are not */
	const struct frame_sums *sums;
	const char *no_sums;
	uint64_t page_size;
};

extern const struct column_set system_zone_columns;
extern const char system_zone_default[], system_zone_json[];

/* Folios of more than one page. */
struct system_folio_row {
	enum folio_kind kind;
	unsigned order;
	uint64_t folios, page_size;
};

extern const struct column_set system_folio_columns;
extern const char system_folio_default[];

/* A line of meminfo beside frames: rows are struct reconcile_row. */
extern const struct column_set system_meminfo_columns;
extern const char system_meminfo_default[], system_meminfo_json[];

/* A size of huge pages: rows are struct hugetlb_pool. */
extern const struct column_set system_pool_columns;
extern const char system_pool_default[];

/* Frames charged to a cgroup. */
struct system_cgroup_row {
	uint64_t inode;
	struct bytes path;		/* empty: see why */
	const char *why;
	const uint64_t *frames;		/* by class */
	uint64_t page_size;
};

extern const struct column_set system_cgroup_columns;
extern const char system_cgroup_default[], system_cgroup_json[];

#endif
