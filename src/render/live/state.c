/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/encode.h"
#include "base/error.h"
#include "base/out.h"
#include "column/filter.h"
#include "render/format.h"
#include "render/live/tree.h"

const char *const live_sum_names[4] = { "RSS", "PSS", "DIRTY", "SWAP" };

enum { INTERVAL_DEFAULT_NS = 2000000000 };

void live_init(struct live *live, const struct report_options *format)
{
	*live = (struct live){ .format = *format, .interval_ns = INTERVAL_DEFAULT_NS };
	for (size_t i = 0; i < LIVE_TABLES; i++)
		arena_init(&live->table[i].arena);
	for (unsigned i = 0; i < LIVE_VIEWS; i++)
		live->from[i] = (enum live_view)i;
	live->pages.fit = true;
	live->pages.zoom = 1;
	live->stale = true;
}

static void table_fini(struct live_table *table)
{
	live_list_release(table->now);
	live_list_release(table->before);
	live_list_release(table->mark);
	filter_free(table->filter);
	arena_fini(&table->arena);
	free(table->order);
	free(table->match);
	live_tree_free(table->tree);
}

void live_fini(struct live *live)
{
	for (size_t i = 0; i < LIVE_TABLES; i++)
		table_fini(&live->table[i]);
	free(live->pages.cells);
	free(live->picture.cells);
}

struct live_table *live_table(struct live *live)
{
	return live->view >= LIVE_TABLES ? NULL : &live->table[live->view];
}

bool live_is_empty(const struct live *live)
{
	if (live->view == LIVE_PAGES)
		return !live->pages.count && !live->pages.reason[0];
	if (live->view == LIVE_PICTURE)
		return !live->picture.count && !live->picture.reason;
	return !live->table[live->view].now;
}

/* What has an operator, or is the name of a column, is of the language of --filter; else part of a name. */
static bool is_expression(const struct column_set *set, const char *text)
{
	return strpbrk(text, "<>=!~&|()\"'") || column_find(set, bytes_of(text));
}

/* The column that is the name of what is listed; NULL: it has none. */
static const char *name_column(const struct column_set *set)
{
	static const char *const names[] = { "command", "path" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (column_find(set, bytes_of(names[i])))
			return names[i];
	return NULL;
}

/* The expression for a filter as it was typed, in arena. */
static const char *expression_of(const struct column_set *set, const char *text,
				 struct arena *arena)
{
	const char *column = name_column(set);
	char *expression, *at;

	if (!*text || is_expression(set, text) || !column)
		return text;
	expression = arena_alloc(arena, strlen(column) + 2 * strlen(text) + sizeof(" ~ \"\""));
	at = expression + sprintf(expression, "%s ~ \"", column);
	for (; *text; text++) {
		if (strchr(".[]{}*+?^$\\", *text))
			*at++ = '\\';
		*at++ = *text;
	}
	memcpy(at, "\"", sizeof("\""));
	return expression;
}

/* Columns and filter live in one arena, so both are made anew where one changes. */
static int parse(struct live_table *table, const char *columns, const char *filter,
		 struct error *err)
{
	struct selection selection;
	struct filter *parsed = NULL;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = selection_parse(&selection, table->set, table->defaults, *columns ? columns : NULL,
			     &arena, err);
	if (rc == 0)
		rc = filter_parse(&parsed, table->set,
				  *filter ? expression_of(table->set, filter, &arena) : NULL,
				  &arena, err);
	if (rc) {
		arena_fini(&arena);
		return rc;
	}
	filter_free(table->filter);
	arena_fini(&table->arena);
	table->arena = arena;
	table->selection = selection;
	table->filter = parsed;
	if (table->left + 2 > selection.count)
		table->left = 0;
	snprintf(table->columns, sizeof(table->columns), "%s", columns);
	snprintf(table->filter_text, sizeof(table->filter_text), "%s", filter);
	return 0;
}

unsigned live_table_needs(const struct live_table *table)
{
	return table->selection.needs | filter_needs(table->filter) |
	       (table->sort.column ? table->sort.column->needs : 0);
}

static bool apply(struct live *live, const char *columns, const char *filter)
{
	struct live_table *table = live_table(live);
	unsigned before = live_table_needs(table);
	char kept[2][LIVE_INPUT_MAX];
	struct out out;
	struct error err;

	if (strlen(columns) >= LIVE_INPUT_MAX || strlen(filter) >= LIVE_INPUT_MAX) {
		snprintf(live->message, sizeof(live->message),
			 "too long: a filter or list of columns has at most %d bytes",
			 LIVE_INPUT_MAX - 1);
		return false;
	}
	snprintf(kept[0], sizeof(kept[0]), "%s", columns);
	snprintf(kept[1], sizeof(kept[1]), "%s", filter);
	if (parse(table, kept[0], kept[1], &err)) {
		out_init_memory(&out);
		encode_text(&out, bytes_of(err.text));
		out_char(&out, '\0');
		snprintf(live->message, sizeof(live->message), "%s", out.buf);
		out_fini(&out);
		return false;
	}
	live->stale |= live_table_needs(table) & ~before; /* that was not read */
	live_reorder(live, table);
	return true;
}

/* An expression begins like a name: where it is wrong, nothing is filtered by what it began with. */
bool live_filter(struct live *live, const char *text)
{
	struct live_table *table = live_table(live);
	char message[sizeof(live->message)];

	if (apply(live, table->columns, text))
		return true;
	if (table->filter_text[0] && !is_expression(table->set, table->filter_text)) {
		memcpy(message, live->message, sizeof(message));
		apply(live, table->columns, "");
		memcpy(live->message, message, sizeof(message));
	}
	return false;
}

bool live_columns(struct live *live, const char *text)
{
	return apply(live, text, live_table(live)->filter_text);
}

bool live_sort(struct live *live, const char *text)
{
	struct live_table *table = live_table(live);
	struct error err;

	if (sort_parse(&table->sort, table->set, text, &err)) {
		snprintf(live->message, sizeof(live->message), "%.200s", err.text);
		return false;
	}
	live_reorder(live, table);
	return true;
}

void live_set_columns(struct live *live, enum live_view view, const struct live_table *from)
{
	struct live_table *table = &live->table[view];
	struct error err;

	table->set = from->set;
	table->defaults = from->defaults;
	table->narrow = from->narrow;
	table->changes = from->changes;
	table->sums = from->sums;
	parse(table, "", "", &err);
	sort_parse(&table->sort, table->set, from->sorted, &err);
}

void live_resize(struct live *live, size_t width, size_t height)
{
	live->width = width;
	live->height = height;
	for (size_t i = 0; i < LIVE_TABLES; i++) {
		struct live_table *table = &live->table[i];

		live_move(live, table, table->cursor);
	}
	if ((live->view == LIVE_PAGES && live->pages.fit) || live->view == LIVE_PICTURE)
		live->stale = true;
}

struct live_list *live_changes_from(const struct live *live, const struct live_table *table)
{
	if (live->changes == CHANGES_REFRESH)
		return table->before;
	return live->changes == CHANGES_MARK ? table->mark : NULL;
}

static void match_changes(struct live *live, struct live_table *table)
{
	struct live_list *from = live_changes_from(live, table);

	table->gone = 0;
	if (!from || !table->now)
		return;
	table->match = mem_grow(table->match, table->now->count + 1, sizeof(*table->match));
	live_list_match(table->now, from, table->match);
	table->gone = live_list_gone(table->match, table->now->count, from);
}

static struct value cell(struct live_list *list, size_t index, const struct column *column)
{
	return column->get(list->ops->row(list, index), column);
}

struct value live_change(struct live *live, struct live_table *table, size_t index,
			 const struct column *column)
{
	struct live_list *from = live_changes_from(live, table);
	struct live_group *group = live_tree_group(table, index);
	struct value now, before = value_u(0);

	if (!from)
		return value_none();
	if (group)
		return live_tree_change(live, table, group, column);
	now = cell(table->now, index, column);
	if (table->match[index] != LIST_NONE)
		before = cell(from, (size_t)table->match[index], column);
	if (now.reason || before.reason)
		return now.reason ? now : before;
	return value_i((int64_t)(now.u - before.u));
}

/* Rows that the filter takes, in order; the cursor stays on its row where that is still there. */
static size_t select_rows(struct live_table *table, struct sort_item *items)
{
	struct live_list *now = table->now;
	size_t count = 0;

	for (size_t i = 0; i < now->count; i++) {
		const void *row = now->ops->row(now, i);

		if (!filter_matches(table->filter, row))
			continue;
		items[count] = (struct sort_item){ .index = i };
		if (table->sort.column)
			items[count].key = table->sort.column->get(row, table->sort.column);
		count++;
	}
	if (table->sort.column)
		sort_items(&table->sort, items, count);
	return count;
}

/* Where a row or, without an end, a group is now, or that of the row where it is closed. */
static size_t place_of(const struct live_table *table, const struct live_id *id)
{
	long at = id->end ? live_list_find(table->now, id) : LIST_NONE;
	const struct live_tree *tree = table->tree;
	size_t index = (size_t)at;

	for (size_t g = 0; tree && !id->end && g < tree->count; g++)
		if (tree->groups[g].tag == id->tag)
			index = table->now->count + g;
	if (tree && id->end && at != LIST_NONE && tree->group_of[at] != SIZE_MAX &&
	    !tree->groups[tree->group_of[at]].open)
		index = table->now->count + tree->group_of[at];
	for (size_t i = 0; i < table->shown; i++)
		if (table->order[i] == index)
			return i;
	return SIZE_MAX;
}

static void keep_cursor(struct live *live, struct live_table *table)
{
	size_t position = place_of(table, &table->at);

	live_move(live, table, position == SIZE_MAX ? table->cursor : position);
}

void live_toggle_tree(struct live *live, struct live_table *table)
{
	const struct live_group *group;

	if (!table->sums) {
		snprintf(live->message, sizeof(live->message), "these rows are of no file");
		return;
	}
	if (!table->tree) {
		table->tree = live_tree_new();
	} else {
		/* from a group to its first row */
		group = table->now && table->shown ?
				live_tree_group(table, table->order[table->cursor]) :
				NULL;
		if (group)
			table->at = table->now->ids[table->tree->members[group->first]];
		live_tree_free(table->tree);
		table->tree = NULL;
	}
	live_reorder(live, table);
}

bool live_reveal(struct live *live, struct live_table *table, size_t index)
{
	struct live_tree *tree = table->tree;
	size_t position;

	if (tree && tree->group_of[index] == SIZE_MAX)
		return false;
	if (tree && !tree->groups[tree->group_of[index]].open) {
		live_tree_toggle(table, &tree->groups[tree->group_of[index]]);
		live_reorder(live, table);
	}
	position = place_of(table, &table->now->ids[index]);
	if (position != SIZE_MAX)
		live_move(live, table, position);
	return position != SIZE_MAX;
}

void live_reorder(struct live *live, struct live_table *table)
{
	struct sort_item *items;

	if (!table->now)
		return;
	items = mem_alloc((table->now->count + 1) * sizeof(*items));
	table->shown = table->taken = select_rows(table, items);
	table->order = mem_grow(table->order, table->shown + 1, sizeof(*table->order));
	for (size_t i = 0; i < table->shown; i++)
		table->order[i] = items[i].index;
	free(items);
	match_changes(live, table);
	if (table->tree)
		live_tree_order(live, table);
	keep_cursor(live, table);
}

void live_find_address(struct live *live)
{
	struct live_table *table = &live->table[LIVE_MAP];
	uint64_t addr = live->find_addr;

	if (!addr || !table->now)
		return;
	live->find_addr = 0;
	for (size_t i = 0; i < table->now->count; i++)
		if (addr >= table->now->ids[i].start && addr < table->now->ids[i].end) {
			live_reveal(live, table, i);
			return;
		}
}

void live_take_list(struct live *live, enum live_view view, struct live_list *list)
{
	struct live_table *table = &live->table[view];

	list->users = 1;
	live_list_release(table->before);
	table->before = table->now;
	table->now = list;
	live_reorder(live, table);
	if (view == LIVE_MAP)
		live_find_address(live);
}

void live_take_sample(struct live *live, const struct live_sample *sample)
{
	live->history[live->samples++ % LIVE_HISTORY] = *sample;
}

void live_move(struct live *live, struct live_table *table, size_t position)
{
	const struct live_group *group;
	size_t rows = live_rows(live);

	if (position >= table->shown)
		position = table->shown ? table->shown - 1 : 0;
	table->cursor = position;
	if (table->top > position)
		table->top = position;
	if (rows && position >= table->top + rows)
		table->top = position - rows + 1;
	if (table->top + rows > table->shown)
		table->top = table->shown > rows ? table->shown - rows : 0;
	if (!table->now || !table->shown)
		return;
	group = live_tree_group(table, table->order[position]);
	if (group)
		table->at = (struct live_id){ .tag = group->tag };
	else
		table->at = table->now->ids[table->order[position]];
}

/* Whether any shown column of the row has the text that is looked for, whatever the case. */
static bool row_has(struct live *live, struct live_table *table, size_t index, struct out *out)
{
	for (size_t i = 0; i < table->selection.count; i++) {
		const struct column *column = table->selection.columns[i];
		struct live_group *group = live_tree_group(table, index);
		struct value value = group ? live_tree_cell(table, group, column) :
					     cell(table->now, index, column);

		out->len = 0;
		format_cell(out, &live->format, column, &value);
		out_char(out, '\0');
		if (strcasestr(out->buf, live->search))
			return true;
	}
	return false;
}

void live_search_next(struct live *live)
{
	struct live_table *table = live_table(live);
	struct out out;
	bool found = false;

	if (!table || !live->search[0])
		return;
	out_init_memory(&out);
	for (size_t i = 1; i <= table->shown && !found; i++) {
		size_t position = (table->cursor + i) % table->shown;

		found = row_has(live, table, table->order[position], &out);
		if (found)
			live_move(live, table, position);
	}
	out_fini(&out);
	if (!found)
		snprintf(live->message, sizeof(live->message), "not found");
}
