/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/rows.h"

#include <stdlib.h>
#include <string.h>

static const void *row_at(struct live_list *list, size_t index)
{
	const struct live_rows *rows = (const struct live_rows *)list;

	return rows->rows + index * rows->size;
}

static void free_list(struct live_list *list)
{
	live_rows_free((struct live_rows *)list);
}

static const struct live_list_ops rows_ops = { .row = row_at, .free = free_list };

struct live_rows *live_rows_new(size_t size)
{
	struct live_rows *rows = mem_zalloc(sizeof(*rows));

	rows->list.ops = &rows_ops;
	rows->size = size;
	return rows;
}

void live_rows_free(struct live_rows *rows)
{
	if (!rows)
		return;
	if (rows->fini)
		rows->fini(rows->extra);
	free(rows->list.ids);
	free(rows->rows);
	free(rows->facts);
	free(rows);
}

void live_rows_add(struct live_rows *rows, struct live_id id, const void *row)
{
	struct live_list *list = &rows->list;

	if (list->count == rows->cap) {
		rows->cap = rows->cap ? rows->cap * 2 : 32;
		list->ids = mem_grow(list->ids, rows->cap, sizeof(*list->ids));
		rows->rows = mem_grow(rows->rows, rows->cap, rows->size);
	}
	list->ids[list->count] = id;
	memcpy(rows->rows + list->count++ * rows->size, row, rows->size);
}

void live_rows_fact(struct live_rows *rows, const char *key, const char *heading,
		    enum value_type type, struct value value)
{
	size_t count = rows->list.fact_count;

	rows->facts = mem_grow(rows->facts, count + 1, sizeof(*rows->facts));
	rows->facts[count] = (struct live_fact){ key, heading, type, NULL, value };
	rows->list.facts = rows->facts;
	rows->list.fact_count = count + 1;
}
