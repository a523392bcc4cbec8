/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/at/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/at/columns.h"
#include "cmd/at/view.h"
#include "engine/context.h"
#include "render/format.h"

enum { LABEL_WIDTH = 14, WIDTH_LEAST = 24 };

struct maker {
	struct at_lines *lines;
	const struct at_view *view;
	bool explain;
	size_t width; /* for values, 0: no limit */
};

static void add_line(struct maker *maker, const struct at_line *line)
{
	struct at_lines *lines = maker->lines;

	lines->list = mem_room(lines->list, lines->count, &lines->cap, sizeof(*lines->list));
	lines->list[lines->count++] = *line;
}

/* How much of text goes into one line: up to the last blank that is in it, or all. */
static size_t fitting(struct bytes text, size_t width)
{
	size_t cut;

	if (!width || encode_text_width(text) <= width)
		return text.len;
	for (cut = width; cut > 0 && text.data[cut] != ' '; cut--)
		;
	return cut ? cut : text.len;
}

/* The value of the line, in as many lines as it takes. */
static void add_wrapped(struct maker *maker, struct at_line line)
{
	struct bytes rest = line.value;

	do {
		size_t len = fitting(rest, maker->width);

		line.value = (struct bytes){ rest.data, len };
		add_line(maker, &line);
		while (len < rest.len && rest.data[len] == ' ')
			len++;
		rest = (struct bytes){ rest.data + len, rest.len - len };
		line.fact = "";
	} while (rest.len);
}

static void add_explanation(struct maker *maker, const struct at_group *group, const char *text)
{
	struct at_line line = {
		.group = group->key, .key = "", .fact = "", .explain = "", .dim = true
	};

	if (!maker->explain || !*text)
		return;
	line.value = bytes_of(text);
	add_wrapped(maker, line);
}

/* What each bit that is set means. */
static void explain_bits(struct maker *maker, const struct at_group *group,
			 const struct column *column, uint64_t bits)
{
	for (unsigned bit = 0; maker->explain && bit < 64; bit++)
		if (bits >> bit & 1)
			add_explanation(maker, group,
					arena_printf(&maker->view->ctx->arena, "  %s: %s",
						     column->codes[bit].code,
						     column->codes[bit].meaning));
}

static struct bytes value_text_of(const struct maker *maker, const struct column *column,
				  const struct value *value)
{
	const struct context *ctx = maker->view->ctx;
	struct out out;

	out_init_memory(&out);
	if (value->reason)
		out_printf(&out, "- (%s)", value->reason);
	else
		format_cell(&out, report_options(ctx->report), column, value);
	/* lists can be broken where their commas are */
	for (size_t i = 0; column->type == VALUE_MEANINGS && i < out.len; i++)
		if (out.buf[i] == ',')
			out.buf[i] = ';';
	return out_take(&out, &maker->view->ctx->arena);
}

static void add_fact(struct maker *maker, const struct at_group *group, const struct column *column)
{
	struct value value = column->get(maker->view, column);
	struct at_line line = {
		.group = group->key,
		.key = column->name,
		.fact = column->heading,
		.explain = column->help,
	};

	if (value.reason && !*value.reason)
		return;
	line.value = value_text_of(maker, column, &value);
	add_wrapped(maker, line);
	add_explanation(maker, group, column->help);
	if (column->type == VALUE_BITS && !value.reason)
		explain_bits(maker, group, column, value.u);
}

static void add_absent(struct maker *maker, const struct at_group *group, const char *reason)
{
	struct at_line line = {
		.group = group->key, .key = group->key, .fact = group->key, .explain = ""
	};

	if (!*reason)
		return;
	line.value = bytes_of(arena_printf(&maker->view->ctx->arena, "- (%s)", reason));
	add_wrapped(maker, line);
}

static void add_group(struct maker *maker, const struct at_group *group)
{
	const char *absent = group->absent(maker->view);
	struct selection selection;

	if (absent && !group->text_always) {
		add_absent(maker, group, absent);
		return;
	}
	if (selection_parse(&selection, &group->set, group->text, NULL, &maker->view->ctx->arena,
			    NULL))
		return;
	for (size_t i = 0; i < selection.count; i++)
		add_fact(maker, group, selection.columns[i]);
}

void at_lines_make(struct at_lines *lines, const struct at_view *view, bool explain, size_t width)
{
	struct maker maker = { lines, view, explain, 0 };

	if (width)
		maker.width = width > LABEL_WIDTH + WIDTH_LEAST ? width - LABEL_WIDTH : WIDTH_LEAST;
	*lines = (struct at_lines){ 0 };
	for (size_t i = 0; i < at_group_count; i++)
		add_group(&maker, &at_groups[i]);
}

void at_lines_free(struct at_lines *lines)
{
	free(lines->list);
}

static const struct at_line *line_of(const void *row)
{
	return row;
}

static struct value get_group(const void *row, const struct column *column)
{
	(void)column;
	return value_word(line_of(row)->group);
}

static struct value get_key(const void *row, const struct column *column)
{
	(void)column;
	return value_word(line_of(row)->key);
}

static struct value get_fact(const void *row, const struct column *column)
{
	(void)column;
	return value_word(line_of(row)->fact);
}

static struct value get_value(const void *row, const struct column *column)
{
	(void)column;
	return value_text(line_of(row)->value);
}

static struct value get_explain(const void *row, const struct column *column)
{
	(void)column;
	return value_word(line_of(row)->explain);
}

static const struct column columns[] = {
	/* clang-format off */
	{ "group", "GROUP", "mapping, page_table, page or frame", VALUE_WORD, 0, get_group },
	{ "key", "KEY", "the fact, as JSON names it", VALUE_WORD, 0, get_key },
	{ "fact", "FACT", "the fact, in words", VALUE_WORD, 0, get_fact },
	{ "explain", "EXPLAIN", "what it means", VALUE_WORD, 0, get_explain },
	{ "value", "VALUE", "what it is here, or - and why it is not known", VALUE_TEXT, 0, get_value },
	/* clang-format on */
};

const struct column_set at_line_columns = { columns, ARRAY_SIZE(columns) };
