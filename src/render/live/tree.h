/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_LIVE_TREE_H
#define VMVIEW_RENDER_LIVE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "model/value.h"

struct column;
struct live;
struct live_list;
struct live_table;

/* The rows of a file, or of a kind where they have none. */
struct live_group {
	struct bytes name,
		label; /* raw; label with "+" or "-" before and the number of rows behind */
	uint64_t tag; /* of the name: known again in another reading */
	size_t first, count; /* in members */
	size_t before_first, before_count; /* in before: what changes are counted from */
	bool open; /* its rows are shown */
	const void *sums, *before_sums; /* once they were asked for; in the arena of the tree */
};

/*
 * A table as a tree: groups, and below those that are open their rows. In the order of the table a
 * group is the number of rows that there are and its own number.
 */
struct live_tree {
	struct arena arena; /* names */
	struct live_group *groups;
	size_t count;
	size_t *members; /* rows of now by group, in the order of the table */
	size_t *before; /* rows of what changes are counted from, by group */
	size_t *group_of; /* of each row of now: SIZE_MAX where the filter does not take it */
	uint64_t *open; /* tags */
	size_t open_count;
};

struct live_tree *live_tree_new(void);
void live_tree_free(struct live_tree *tree); /* NULL is fine */

/* Make groups of the rows in the order of the table, and that order one of groups and open rows. */
void live_tree_order(struct live *live, struct live_table *table);

/* The group at this place of the order, or NULL: a row. */
struct live_group *live_tree_group(const struct live_table *table, size_t index);

/* Open a group that is closed, close one that is open; the order has to be made anew. */
void live_tree_toggle(struct live_table *table, const struct live_group *group);

/* All of them: open unless all are open. */
void live_tree_toggle_all(struct live_table *table);

/* Which column has the labels. */
const struct column *live_tree_column(const struct live_table *table);

/* Cells of a group: sums of its rows; value_none() where a column has no sum. */
struct value live_tree_cell(struct live_table *table, struct live_group *group,
			    const struct column *column);
struct value live_tree_change(struct live *live, struct live_table *table, struct live_group *group,
			      const struct column *column);

/* The sums of a group as a row of table->sums. */
const void *live_tree_sums(struct live_table *table, struct live_group *group);

#endif
