/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_COLUMNS_H
#define VMVIEW_CMD_MAP_COLUMNS_H

#include <stdbool.h>

#include "column/column.h"
#include "column/filter.h"
#include "column/sort.h"
#include "column/vma_columns.h"
#include "render/report.h"

struct context;
struct targets;

/* What map shows of mappings, kinds and totals, as the options want it. */
struct map_columns {
	struct context *ctx;
	struct smaps_keys *keys;
	struct column_set vma_set, tally_set;
	struct column_set names_set, guesses_set;
	struct selection selection, kinds_selection, names_selection, guesses_selection,
		total_selection;
	bool sums; /* -o and --sort are about sums of mappings: --by */
	struct filter *filter;
	struct sort sort;
	unsigned needs; /* of all that is shown, sorted and filtered by */
	struct table mappings, kinds, names, guesses;
	size_t made_count; /* keys->count and seen when the selections were made */
	uint64_t made_seen;
};

/*
 * Parse -o, --sort and --filter. A name that is no column may be a field that only this kernel knows:
 * then the first target's smaps is asked. Returns 0 or -EINVAL.
 */
int map_columns_make(struct map_columns *columns, struct context *ctx, struct smaps_keys *keys,
		     const struct targets *targets, struct error *err);
void map_columns_fini(struct map_columns *columns);

/* Take fields that were met since into the defaults of JSON. */
void map_columns_update(struct map_columns *columns);

/* --columns=help: print and return true. */
bool map_columns_help(struct map_columns *columns, struct context *ctx, struct smaps_keys *keys);

#endif
