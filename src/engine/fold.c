/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/fold.h"

#include "column/query.h"
#include "engine/context.h"

enum {
	LEAST = 5, /* rows that are shown however little they carry */
	SHARE = 100, /* rows that have together less than one part of these of all are not */
};

void fold_rank(struct sort_item *items, size_t count)
{
	static const struct column bytes = { .type = VALUE_BYTES };
	const struct sort by = { &bytes, true };

	sort_items(&by, items, count);
}

/* How many rows have nearly all of it. */
static size_t carrying(const struct sort_item *items, size_t count)
{
	double all = 0, rest;
	size_t shown = 0;

	for (size_t i = 0; i < count; i++)
		all += items[i].key.reason ? 0 : (double)items[i].key.u;
	rest = all;
	for (; shown < count && shown < FOLD_MOST; shown++) {
		if (shown >= LEAST && !items[shown].key.reason && rest * SHARE <= all)
			break;
		rest -= items[shown].key.reason ? 0 : (double)items[shown].key.u;
	}
	return shown;
}

size_t fold_rows(const struct context *ctx, uint64_t top, const struct query *query,
		 const struct sort_item *items, size_t count, struct table *table)
{
	bool prose = report_prose(ctx->report);

	table->shown = 0;
	table->cut = !prose && top != FOLD_UNSET && top && top < count;
	if (table->cut)
		return (size_t)top;
	if (!prose)
		return count;
	if (top != FOLD_UNSET)
		table->shown = top < count ? (size_t)top : 0;
	else if (!query->filter)
		table->shown = query->sort.column ? FOLD_MOST : carrying(items, count);
	/* a row that stood for one would be no shorter */
	if (table->shown + 1 >= count)
		table->shown = 0;
	return count;
}
