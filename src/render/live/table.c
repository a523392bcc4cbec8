/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/encode.h"
#include "base/out.h"
#include "render/format.h"
#include "render/live/grid.h"
#include "render/live/live.h"
#include "render/live/tree.h"

enum { DRAWN_MAX = 128, MARKS = 2, NAME_LEAST = 16, INDENT = 2 };

/* A column as it is drawn: itself, or the change of it. */
struct drawn {
	const struct column *column;
	bool change;
	bool hidden; /* there is no room for it */
	size_t width;
};

static const struct column change_column = { .name = "change", .type = VALUE_DELTA };
static const struct column label_column = { .name = "label", .type = VALUE_TEXT };

/* The rows of a group stand a little to the right of it. */
static size_t indent(const struct live_table *table, size_t index, const struct drawn *drawn)
{
	return table->tree && index < table->now->count && drawn->column->type == VALUE_TEXT &&
			       drawn->column == live_tree_column(table) ?
		       INDENT :
		       0;
}

static bool is_in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, name, len) == 0 && (at[len] == ',' || !at[len]))
			return true;
	return false;
}

/* What is drawn of the selection, with the changes that are asked for. */
static size_t choose(const struct live *live, const struct live_table *table, struct drawn *drawn)
{
	bool changes = live_changes_from(live, table);
	size_t count = 0;

	for (size_t i = 0; i < table->selection.count && count + 2 < DRAWN_MAX; i++) {
		const struct column *column = table->selection.columns[i];

		drawn[count++] = (struct drawn){ column, false, false, strlen(column->heading) };
		if (changes && is_in_list(table->changes, column->name))
			drawn[count++] = (struct drawn){ column, true, false, 2 };
	}
	return count;
}

static struct value drawn_value(struct live *live, struct live_table *table, size_t index,
				const struct drawn *drawn)
{
	struct live_group *group = live_tree_group(table, index);

	if (drawn->change)
		return live_change(live, table, index, drawn->column);
	if (group && drawn->column == live_tree_column(table))
		return value_text(group->label);
	if (group)
		return live_tree_cell(table, group, drawn->column);
	return drawn->column->get(table->now->ops->row(table->now, index), drawn->column);
}

static size_t put_cell(struct live *live, struct live_table *table, size_t index,
		       const struct drawn *drawn, struct out *out)
{
	struct value value = drawn_value(live, table, index, drawn);
	const struct column *column = drawn->change ? &change_column : drawn->column;

	out->len = 0;
	if (live_tree_group(table, index)) {
		if (value.reason && !value.reason[0]) /* has no sum */
			return 0;
		if (!drawn->change && column == live_tree_column(table))
			column = &label_column;
	}
	return indent(table, index, drawn) + format_cell(out, &live->format, column, &value);
}

static void measure(struct live *live, struct live_table *table, struct drawn *drawn, size_t count,
		    struct out *out)
{
	size_t rows = live_rows(live);

	for (size_t r = 0; r < rows && table->top + r < table->shown; r++)
		for (size_t i = 0; i < count; i++) {
			size_t index = table->order[table->top + r];
			size_t width = put_cell(live, table, index, &drawn[i], out);

			if (width > drawn[i].width)
				drawn[i].width = width;
		}
}

/* The last column, where it is text, is cut in the middle rather than hidden. */
static size_t width_of(const struct drawn *drawn, size_t count)
{
	size_t width = MARKS;

	for (size_t i = 0; i < count; i++) {
		bool name = i + 1 == count && drawn[i].column->type == VALUE_TEXT;

		if (!drawn[i].hidden)
			width += 1 + (name && drawn[i].width > NAME_LEAST ? NAME_LEAST :
									    drawn[i].width);
	}
	return width ? width - 1 : 0;
}

/* The column that is missed least: from the right, those first that narrow does not name. */
static struct drawn *least(const struct live_table *table, struct drawn *drawn, size_t count)
{
	struct drawn *other = NULL;

	for (size_t i = count; i-- > 1;) {
		if (drawn[i].hidden || drawn[i].change || drawn[i].column == table->sort.column)
			continue;
		if (!is_in_list(table->narrow, drawn[i].column->name))
			return &drawn[i];
		if (!other && i + 1 < count)
			other = &drawn[i];
	}
	return other;
}

/* The change of a column goes with it. */
static void hide(struct drawn *column, const struct drawn *end)
{
	column->hidden = true;
	if (column + 1 < end && column[1].change)
		column[1].hidden = true;
}

/*
 * What is shown of the columns: those that were scrolled past are not, but for the first; of those that
 * nobody chose, as many as there is room for. The others are to the right.
 */
static void fit(const struct live *live, struct live_table *table, struct drawn *drawn,
		size_t count)
{
	struct drawn *one;
	size_t seen = 0;

	for (size_t i = 1; i < count && seen < table->left; i++) {
		seen += !drawn[i].change;
		drawn[i].hidden = seen <= table->left;
		if (i + 1 < count && drawn[i + 1].change)
			drawn[i + 1].hidden = true;
	}
	while (!table->left && !table->columns[0] && count > 2 &&
	       width_of(drawn, count) > live->width) {
		one = least(table, drawn, count);
		if (!one)
			return;
		hide(one, drawn + count);
	}
}

static bool is_right(const struct drawn *drawn)
{
	return drawn->change || value_type_is_number(drawn->column->type);
}

/* "<" and ">" at the ends: there are more columns to that side. */
static void draw_headings(const struct live_table *table, struct grid *grid, size_t y,
			  const struct drawn *drawn, size_t count)
{
	bool more = false;
	size_t x = MARKS, last = 0;

	for (size_t i = 0; i < count; i++) {
		more |= drawn[i].hidden;
		if (drawn[i].hidden)
			continue;
		const char *text = drawn[i].change ? "+-" : drawn[i].column->heading;
		size_t pad = is_right(&drawn[i]) ? drawn[i].width - strlen(text) : 0;

		grid_text(grid, x + pad, y, STYLE_TITLE, bytes_of(text));
		if (!drawn[i].change && drawn[i].column == table->sort.column)
			grid_paint(grid, x + pad, y, strlen(text), STYLE_CURSOR);
		last = x;
		x += drawn[i].width + 1;
	}
	if (table->sort.column)
		grid_text(grid, 0, y, STYLE_TITLE, bytes_of(table->sort.descending ? "v" : "^"));
	if (table->left)
		grid_text(grid, 1, y, STYLE_TITLE, BYTES("<"));
	if (last + 3 > grid->width || (more && !table->left))
		grid_text(grid, grid->width - 1, y, STYLE_TITLE, BYTES(">"));
}

static enum live_style change_style(const struct value *value)
{
	if (value->reason || !value->i)
		return STYLE_PLAIN;
	return value->i > 0 ? STYLE_WARN : STYLE_GOOD;
}

/* "+" new, "~" changed. */
static const char *change_mark(struct live *live, struct live_table *table, size_t index,
			       const struct drawn *drawn, size_t count)
{
	struct live_group *group = live_tree_group(table, index);

	if (!live_changes_from(live, table))
		return " ";
	if (group ? !group->before_count : table->match[index] == LIST_NONE)
		return "+";
	for (size_t i = 0; i < count; i++) {
		struct value value = value_none();

		if (drawn[i].change)
			value = drawn_value(live, table, index, &drawn[i]);
		if (!value.reason && value.i)
			return "~";
	}
	return " ";
}

static void draw_row(struct live *live, struct live_table *table, struct grid *grid, size_t y,
		     size_t position, const struct drawn *drawn, size_t count)
{
	size_t x = MARKS, index = table->order[position];
	struct out out;

	out_init_memory(&out);
	for (size_t i = 0; i < count; i++) {
		if (drawn[i].hidden)
			continue;
		struct value value = drawn_value(live, table, index, &drawn[i]);
		size_t width = put_cell(live, table, index, &drawn[i], &out);
		size_t pad = is_right(&drawn[i]) ? drawn[i].width - width :
						   indent(table, index, &drawn[i]);
		size_t room = grid->width > x + pad ? grid->width - x - pad : 0;

		if (i + 1 == count && drawn[i].column->type == VALUE_TEXT && !value.reason &&
		    width > room + pad && room >= 3) {
			out.len = 0;
			encode_name_cut(&out, value.text, room);
		}
		grid_text(grid, x + pad, y, drawn[i].change ? change_style(&value) : STYLE_PLAIN,
			  (struct bytes){ out.buf, out.len });
		x += drawn[i].width + 1;
	}
	out_fini(&out);
	grid_text(grid, 1, y, STYLE_WARN, bytes_of(change_mark(live, table, index, drawn, count)));
	if (position == table->cursor) {
		grid_text(grid, 0, y, STYLE_PLAIN, BYTES(">"));
		grid_paint(grid, 0, y, grid->width, STYLE_CURSOR);
	}
}

void live_draw_table(struct live *live, struct grid *grid, size_t y)
{
	struct live_table *table = live_table(live);
	struct drawn drawn[DRAWN_MAX];
	size_t rows = live_rows(live), count;
	struct out out;

	if (!table->now) {
		grid_text(grid, MARKS, y, STYLE_DIM, BYTES(LIVE_READING));
		return;
	}
	count = choose(live, table, drawn);
	out_init_memory(&out);
	measure(live, table, drawn, count, &out);
	out_fini(&out);
	fit(live, table, drawn, count);
	draw_headings(table, grid, y, drawn, count);
	for (size_t r = 0; r < rows && table->top + r < table->shown; r++)
		draw_row(live, table, grid, y + 1 + r, table->top + r, drawn, count);
	if (!table->shown && !table->now->count && table->now->reason)
		grid_text(grid, MARKS, y + 1, STYLE_BAD, bytes_of(table->now->reason));
	else if (!table->shown)
		grid_text(grid, MARKS, y + 1, STYLE_DIM,
			  bytes_of(table->now->count ? "nothing passes the filter" : "no rows"));
}
