/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/sort.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "column/column.h"
#include "column/filter.h"

int sort_parse(struct sort *sort, const struct column_set *set, const char *text, struct error *err)
{
	const struct column *column;
	bool descending = text && *text == '-';

	if (!text) {
		*sort = (struct sort){ 0 };
		return 0;
	}
	text += descending || *text == '+';
	column = column_named(set, bytes_of(text), "--sort: ", err);
	if (!column)
		return -EINVAL;
	*sort = (struct sort){ column, descending };
	return 0;
}

static int compare(const void *left, const void *right, void *ctx)
{
	const struct sort_item *a = left, *b = right;
	const struct sort *sort = ctx;
	int order = value_compare(sort->column->type, &a->key, &b->key);

	if (sort->descending && !a->key.reason && !b->key.reason)
		order = -order;
	if (order)
		return order;
	return a->index < b->index ? -1 : a->index > b->index;
}

void sort_items(const struct sort *sort, struct sort_item *items, size_t count)
{
	struct sort by = *sort;

	if (sort->column)
		qsort_r(items, count, sizeof(items[0]), compare, &by);
}

struct sort_item *sort_rows(const struct sort *sort, const struct filter *filter,
			    const struct sort_rows *rows, size_t *count)
{
	struct sort_item *items = mem_alloc((rows->count + 1) * sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const void *row = (const char *)rows->first + i * rows->size;

		if (!filter_matches(filter, row))
			continue;
		items[n] = (struct sort_item){ .index = i };
		if (sort->column)
			items[n].key = sort->column->get(row, sort->column);
		n++;
	}
	sort_items(sort, items, n);
	*count = n;
	return items;
}
