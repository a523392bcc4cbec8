/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_BY_H
#define VMVIEW_CMD_MAP_BY_H

#include <stdbool.h>

#include "cmd/map/groups.h"
#include "column/sort.h"
#include "render/report.h"

struct context;
struct error;
struct map_by_word;

/* --by: mappings added up by what they have in common, in place of a row each. */
struct map_by {
	struct context *ctx;
	const struct smaps_keys *keys;
	const struct map_by_word *word;
	struct column_set set;
	struct selection selection;
	struct sort sort;
	unsigned needs; /* of what is shown, sorted and added up by */
	struct map_groups groups; /* of the process that is read now */
};

/* Parse WORD, -o and --sort. Returns 0 or -EINVAL. */
int map_by_make(struct map_by *by, struct context *ctx, const struct smaps_keys *keys,
		const char *word, struct error *err);

/* --columns=help: print and return true. */
bool map_by_columns_help(struct map_by *by, struct context *ctx, const struct smaps_keys *keys,
			 const char *word);

void map_by_add(struct map_by *by, const struct vma *vma);

/* The groups of a process, for people with their sum; then they are forgotten. */
void map_by_write(struct map_by *by, const struct vma_tally *total);

void map_by_fini(struct map_by *by);

#endif
