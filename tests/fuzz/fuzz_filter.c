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

/* 1: it matches the row, 0: it does not, -1: it is no filter. */
static int answer(struct arena *arena, const struct column_set *set, const char *text,
		  const void *row)
{
	struct filter *filter = (struct filter *)(uintptr_t)1;
	int rc = filter_parse(&filter, set, text, arena, NULL);
	int matches;

	if (rc < 0 && filter)
		abort();
	if (rc < 0)
		return -1;
	matches = filter_matches(filter, row);
	filter_needs(filter);
	filter_free(filter);
	return matches;
}

/* Nothing is both true and false, and twice the opposite is the same. */
static void check(struct arena *arena, const struct column_set *set, const char *text,
		  const void *row)
{
	int plain = answer(arena, set, text, row);
	int no = answer(arena, set, arena_printf(arena, "!(%s\n)", text), row);
	int yes = answer(arena, set, arena_printf(arena, "!!(%s\n)", text), row);

	/* two levels more may be too deep */
	if (plain < 0 || no < 0 || yes < 0)
		return;
	if ((plain && no) || yes != plain || (!row && (plain || no)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct column_set set = { columns, ARRAY_SIZE(columns) };
	static const uint64_t row = 42;
	struct arena arena;
	struct bytes text;

	if (size > 2000)
		return 0;
	arena_init(&arena);
	text = arena_bytes(&arena, (struct bytes){ (const char *)data, size });
	check(&arena, &set, text.data, &row);
	check(&arena, &set, text.data, NULL);
	arena_fini(&arena);
	return 0;
}
