/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_FOLD_H
#define VMVIEW_ENGINE_FOLD_H

#include <stddef.h>
#include <stdint.h>

struct context;
struct query;
struct sort_item;
struct table;

/*
 * Tables for people are as long as the question needs: rows are ranked by the column that the command is
 * about, and those that carry little are one row, the last. --top N says how many are shown.
 */
enum { FOLD_MOST = 20 };
#define FOLD_UNSET UINT64_MAX /* the value of --top where it is not given */

#define FOLD_OPTION_ROW(offset) \
	{ \
		0, "top", "N", OPTION_COUNT, offset, "rows that are shown (for people 20); 0: all" \
	}

/* By bytes (u), the most first; what is not known comes last. */
void fold_rank(struct sort_item *items, size_t count);

/*
 * How many of these rows are to be written, which fold_rank() or --sort put in order: sets table->shown
 * and table->cut. Where a filter chose them, all are.
 */
size_t fold_rows(const struct context *ctx, uint64_t top, const struct query *query,
		 const struct sort_item *items, size_t count, struct table *table);

#endif
