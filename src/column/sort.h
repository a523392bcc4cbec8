/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_SORT_H
#define VMVIEW_COLUMN_SORT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/value.h"

struct column;
struct column_set;
struct error;
struct filter;

/* --sort COL: ascending; -COL: descending. Absent values come last either way. */
struct sort {
	const struct column *column; /* NULL: as they come */
	bool descending;
};

/* text NULL: unsorted. Returns 0, or -EINVAL where the name is no column. */
int sort_parse(struct sort *sort, const struct column_set *set, const char *text,
	       struct error *err);

/* A row of an array that is being sorted: the key, read once, and what it belongs to. */
struct sort_item {
	struct value key;
	size_t index;
};

/* Stable: rows with equal keys keep their order. */
void sort_items(const struct sort *sort, struct sort_item *items, size_t count);

/* An array of rows, size bytes each. */
struct sort_rows {
	const void *first;
	size_t count, size;
};

/*
 * Those rows that the filter matches (NULL: all), in the order asked for: *count items for the caller to
 * free.
 */
struct sort_item *sort_rows(const struct sort *sort, const struct filter *filter,
			    const struct sort_rows *rows, size_t *count);

#endif
