/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/table_rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "column/column.h"

struct sum {
	struct number number;
	bool some; /* a row had a value */
};

struct table_rest {
	const struct selection *selection;
	struct sum *sums;
	size_t rows;
};

struct table_rest *table_rest_new(void)
{
	return mem_zalloc(sizeof(struct table_rest));
}

void table_rest_free(struct table_rest *rest)
{
	if (rest)
		free(rest->sums);
	free(rest);
}

void table_rest_begin(struct table_rest *rest, const struct selection *selection)
{
	rest->selection = selection;
	rest->rows = 0;
	rest->sums = mem_grow(rest->sums, selection->count, sizeof(rest->sums[0]));
	memset(rest->sums, 0, selection->count * sizeof(rest->sums[0]));
}

static bool adds_up(const struct column *column)
{
	return (column->type == VALUE_BYTES || column->type == VALUE_COUNT) && !column->apart;
}

void table_rest_add(struct table_rest *rest, const void *row)
{
	rest->rows++;
	for (size_t i = 0; i < rest->selection->count; i++) {
		const struct column *column = rest->selection->columns[i];
		struct sum *sum = &rest->sums[i];
		struct value value;

		if (!adds_up(column))
			continue;
		value = column->get(row, column);
		if (value.reason && !*value.reason)
			continue;
		sum->some = true;
		number_add(&sum->number,
			   (struct number){ value.reason, value.reason ? 0 : value.u });
	}
}

size_t table_rest_count(const struct table_rest *rest)
{
	return rest->rows;
}

bool table_rest_sum(const struct table_rest *rest, const struct column *column, struct value *value)
{
	size_t i = 0;

	if (!adds_up(column))
		return false;
	while (rest->selection->columns[i] != column)
		i++;
	*value = rest->sums[i].some ? value_number(rest->sums[i].number) : value_none();
	return true;
}

const struct column *table_rest_words(const struct table_rest *rest)
{
	size_t i = rest->selection->count - 1;

	while (i && adds_up(rest->selection->columns[i]))
		i--;
	return rest->selection->columns[i];
}
