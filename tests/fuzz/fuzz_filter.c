/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The language of --filter, asked of rows with known and with absent values. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "column/column.h"
#include "column/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The row is the number that the columns give, by their types; NULL: all are absent. */
static struct value get(const void *row, const struct column *column)
{
	const uint64_t *number = row;

	if (!number)
		return value_absent("denied");
	switch (column->type) {
	case VALUE_RATIO:
		return value_d((double)*number / 100);
	case VALUE_WORD:
		return value_word("elf");
	case VALUE_TEXT:
		return value_text(BYTES("/usr/lib\377\n"));
	case VALUE_CODES:
		return value_text(BYTES("rd wr ac"));
	case VALUE_NUMBER:
	case VALUE_DELTA:
		return value_i(-(int64_t)*number);
	default:
		return value_u(*number);
	}
}

static const struct column columns[] = {
	{ .name = "rss", .type = VALUE_BYTES, .get = get },
	{ .name = "n", .type = VALUE_COUNT, .get = get },
	{ .name = "pid", .type = VALUE_NUMBER, .get = get },
	{ .name = "delta", .type = VALUE_DELTA, .get = get },
	{ .name = "start", .type = VALUE_ADDR, .get = get },
	{ .name = "ratio", .type = VALUE_RATIO, .get = get },
	{ .name = "age", .type = VALUE_NS, .get = get },
	{ .name = "on", .type = VALUE_BOOL, .get = get },
	{ .name = "kind", .type = VALUE_WORD, .get = get },
	{ .name = "path", .type = VALUE_TEXT, .get = get },
	{ .name = "perm", .type = VALUE_CODES, .get = get },
};

/* Regular expressions are the C library's: with many repeats they take memory without end. */
static size_t repeats(const uint8_t *data, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += data[i] == '{' ? 5 : data[i] && strchr("*+?\\", data[i]) != NULL;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct column_set set = { columns, sizeof(columns) / sizeof(columns[0]) };
	static const uint64_t row = 42;
	struct filter *filter = NULL;
	struct arena arena;
	struct bytes text;

	if (size > 200 || repeats(data, size) > 4)
		return 0;
	arena_init(&arena);
	text = arena_bytes(&arena, (struct bytes){ (const char *)data, size });
	if (filter_parse(&filter, &set, text.data, &arena, NULL) == 0) {
		filter_matches(filter, &row);
		filter_matches(filter, NULL);
		filter_needs(filter);
		filter_free(filter);
	}
	arena_fini(&arena);
	return 0;
}
