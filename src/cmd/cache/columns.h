/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CACHE_COLUMNS_H
#define VMVIEW_CMD_CACHE_COLUMNS_H

#include "base/bytes.h"
#include "column/column.h"

/*
 * A file of the page cache; or several that are not shown, what no name was found for, or all of it.
 * Sizes are bytes. A reason is NULL where its values are known.
 */
struct cache_row {
	struct bytes path, name; /* name: with " (deleted)" */
	uint64_t dev, inode;
	const char *identity_reason;
	const char *kind, *source; /* NULL: does not apply */
	bool deleted;
	uint64_t size;
	const char *size_reason;
	uint64_t cached;
	const char *cached_reason;
	uint64_t dirty, writeback, evicted, recently_evicted;
	const char *more_reason; /* of these, which mincore does not tell */
	uint64_t mapped;
	const char *mapped_reason;
	uint64_t active;
	const char *active_reason;
	uint64_t processes, open;
	const char *processes_reason, *open_reason;
	struct bytes mapped_by, opened_by; /* numbers with a blank between them */
	struct bytes holders; /* for people: "nginx[812] +3" */
	struct bytes cgroup; /* that pays for most of the mapped pages */
	const char *cgroup_reason;
};

extern const struct column_set cache_columns;
extern const char cache_default[], cache_json[];

#endif
