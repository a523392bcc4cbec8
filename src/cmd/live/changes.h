/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_CHANGES_H
#define VMVIEW_CMD_LIVE_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct live;
struct live_table;
struct selection;

/* A row together with what it was: for the columns that live_changes_select() makes. */
struct live_changed_row {
	struct live *live;
	struct live_table *table;
	size_t index;
};

/*
 * Make columns with changes of a selection: of JSON "new" and "change.rss" .. behind the others, for people
 * signed columns, each behind its own, and "+" (new) or "~" (changed) in front. Rows are then struct
 * live_changed_row. False, and nothing is done, where no changes are known. Columns live in arena.
 */
bool live_changes_select(struct live *live, struct live_table *table, bool json,
			 struct arena *arena, struct selection *selection);

#endif
