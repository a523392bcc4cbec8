/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/table_fit.h"

#include <string.h>

#include "column/column.h"
#include "render/document.h"
#include "render/table_line.h"

enum {
	NAME_ROOM = 16, /* that the last column has at least, where it is as wide */
	TEXT_ROOM = 12, /* the same of other texts from outside */
	WORDS_ROOM = 30, /* the same of an explanation */
	TEXT_LEAST = 8, /* columns of text do not get narrower */
};

static size_t line_width(const struct table_line *line)
{
	return line->options->width ? line->options->width : TABLE_WIDTH;
}

static const struct column *column_at(const struct table_line *line, size_t i)
{
	return line->selection->columns[i];
}

/* What the last column takes of the line at least. A wider line has room for whole names, too. */
static size_t last_need(const struct table_line *line)
{
	const struct column *last = column_at(line, line->count - 1);
	size_t need = line->widths[line->count - 1], width = line_width(line);
	size_t room = last->type == VALUE_WORD ? WORDS_ROOM : NAME_ROOM;

	if (value_type_is_number(last->type))
		return need;
	if (width > TABLE_WIDTH)
		room += (width - TABLE_WIDTH) / 2;
	return need < room ? need : room;
}

static size_t need(const struct table_line *line)
{
	size_t width = last_need(line);

	for (size_t i = 0; i + 1 < line->count; i++)
		width += line->widths[i] + 1;
	return width;
}

/* The same of the columns that are kept, where texts are cut: they can be read without their middle. */
static size_t least_need(const struct table_line *line, const bool *kept)
{
	size_t width = last_need(line);

	for (size_t i = 0; i + 1 < line->count; i++) {
		enum value_type type = column_at(line, i)->type;
		bool cuts = !value_type_is_number(type) && type != VALUE_WORD;

		if (kept[i])
			width += 1 + (cuts && line->widths[i] > TEXT_ROOM ? TEXT_ROOM :
									    line->widths[i]);
	}
	return width;
}

/* The column with this name, or line->count; never the first or the last. */
static size_t find(const struct table_line *line, struct bytes name)
{
	for (size_t i = 1; i + 1 < line->count; i++)
		if (bytes_equal(bytes_of(column_at(line, i)->name), name))
			return i;
	return line->count;
}

/* Leave out those of table->spare (that are blank, if blank is given) until the rest fits. */
static void drop_spare(const struct table_line *line, const char *spare, const bool *blank,
		       bool *kept)
{
	while (spare && *spare && least_need(line, kept) > line_width(line)) {
		size_t len = strcspn(spare, ",");
		size_t i = find(line, (struct bytes){ spare, len });

		if (i < line->count && (!blank || blank[i]))
			kept[i] = false;
		spare += len + (spare[len] == ',');
	}
}

void table_fit(const struct table_line *line, const struct table *table, const bool *blank,
	       bool *kept)
{
	for (size_t i = 0; i < line->count; i++)
		kept[i] = true;
	if (line->options->columns_chosen || line->count < 3)
		return;
	/* who wants bytes and has no terminal is a script */
	if (!line->options->width && line->options->units != UNITS_HUMAN)
		return;
	drop_spare(line, table->spare, blank, kept);
	for (size_t i = line->count - 1; i-- > 1 && least_need(line, kept) > line_width(line);)
		if (blank[i])
			kept[i] = false;
	drop_spare(line, table->spare, NULL, kept);
}

void table_shrink(struct table_line *line)
{
	if (!line->options->width || line->options->columns_chosen)
		return;
	while (need(line) > line->options->width) {
		size_t widest = line->count;

		for (size_t i = 0; i + 1 < line->count; i++) {
			const struct column *column = column_at(line, i);

			if (!value_type_is_number(column->type) && line->widths[i] > TEXT_LEAST &&
			    line->widths[i] > strlen(column->heading) &&
			    (widest == line->count || line->widths[i] > line->widths[widest]))
				widest = i;
		}
		if (widest == line->count)
			return;
		line->widths[widest]--;
		line->shrunk = true;
	}
}
