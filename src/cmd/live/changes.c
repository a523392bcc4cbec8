/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/changes.h"

#include <string.h>

#include "base/arena.h"
#include "column/column.h"
#include "render/live/live.h"

/* A column that finds another one's row, or its change. */
struct changed_column {
	struct column column; /* first: what a selection points to */
	const struct column *of;
};

struct maker {
	struct live_table *table;
	struct arena *arena;
	const struct column **columns;
	size_t count;
};

static const struct column *of(const struct column *column)
{
	return ((const struct changed_column *)column)->of;
}

static struct value get_now(const void *opaque, const struct column *column)
{
	const struct live_changed_row *row = opaque;
	struct live_list *now = row->table->now;

	return of(column)->get(now->ops->row(now, row->index), of(column));
}

static struct value get_change(const void *opaque, const struct column *column)
{
	const struct live_changed_row *row = opaque;

	return live_change(row->live, row->table, row->index, of(column));
}

static struct value get_new(const void *opaque, const struct column *column)
{
	const struct live_changed_row *row = opaque;

	(void)column;
	return value_u(row->table->match[row->index] == LIST_NONE);
}

/* The column after at in the list of those whose changes are shown; NULL at its end. */
static const struct column *next_change(const struct live_table *table, const char **at)
{
	size_t len = *at ? strcspn(*at, ",") : 0;
	struct bytes name = { *at, len };

	if (!len)
		return NULL;
	*at += len + ((*at)[len] == ',');
	return column_find(table->set, name);
}

static struct value get_mark(const void *opaque, const struct column *column)
{
	const struct live_changed_row *row = opaque;
	const struct column *changed;

	(void)column;
	if (row->table->match[row->index] == LIST_NONE)
		return value_word("+");
	for (const char *at = row->table->changes; (changed = next_change(row->table, &at));) {
		struct value change = live_change(row->live, row->table, row->index, changed);

		if (!change.reason && change.i)
			return value_word("~");
	}
	return value_word("");
}

static void add(struct maker *maker, const struct column *from, const struct column *of_column)
{
	struct changed_column *column = arena_zalloc(maker->arena, sizeof(*column));

	column->column = *from;
	column->of = of_column;
	maker->columns[maker->count++] = &column->column;
}

static void add_change(struct maker *maker, const struct column *column)
{
	const struct column change = {
		.name = arena_printf(maker->arena, "change.%s", column->name),
		.heading = "+-",
		.help = "how much it grew",
		.type = VALUE_DELTA,
		.get = get_change,
	};

	add(maker, &change, column);
}

static void add_now(struct maker *maker, const struct column *column)
{
	struct column now = *column;

	now.get = get_now;
	/* these would look for the other's row where the changed one is */
	now.number = NULL;
	now.literal = NULL;
	now.text = NULL;
	now.from = now.to = 0;
	add(maker, &now, column);
}

static bool has_change(const struct live_table *table, const struct column *column)
{
	const struct column *changed;

	for (const char *at = table->changes; (changed = next_change(table, &at));)
		if (changed == column)
			return true;
	return false;
}

static void add_for_people(struct maker *maker, const struct selection *selection)
{
	static const struct column mark = { "mark", "", "", VALUE_WORD, 0, get_mark };

	add(maker, &mark, NULL);
	for (size_t i = 0; i < selection->count; i++) {
		add_now(maker, selection->columns[i]);
		if (has_change(maker->table, selection->columns[i]))
			add_change(maker, selection->columns[i]);
	}
}

static void add_for_json(struct maker *maker, const struct selection *selection)
{
	static const struct column fresh = { "new", "", "", VALUE_BOOL, 0, get_new };
	const struct column *changed;

	for (size_t i = 0; i < selection->count; i++)
		add_now(maker, selection->columns[i]);
	add(maker, &fresh, NULL);
	for (const char *at = maker->table->changes; (changed = next_change(maker->table, &at));)
		add_change(maker, changed);
}

bool live_changes_select(struct live *live, struct live_table *table, bool json,
			 struct arena *arena, struct selection *selection)
{
	struct maker maker = { .table = table, .arena = arena };
	size_t most = 2 * (selection->count + table->set->count) + 1;

	if (!table->changes || !table->now || !live_changes_from(live, table))
		return false;
	maker.columns = arena_alloc(arena, most * sizeof(*maker.columns));
	if (json)
		add_for_json(&maker, selection);
	else
		add_for_people(&maker, selection);
	selection->columns = maker.columns;
	selection->count = maker.count;
	return true;
}
