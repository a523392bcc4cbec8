/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/table_line.h"

#include <stdint.h>

#include "base/encode.h"
#include "base/out.h"
#include "column/column.h"
#include "render/report.h"

enum { NAME_LEAST = 12 };

size_t table_line_last_room(const struct table_line *line)
{
	const size_t width = line->options->width;
	size_t used = 0;

	if (!width)
		return SIZE_MAX;
	for (size_t i = 0; i + 1 < line->count; i++)
		used += line->widths[i] + 1;
	return width > used + NAME_LEAST ? width - used : NAME_LEAST;
}

/* The blanks before a cell. Those behind the last one of a line are never written. */
static void put_pending(struct table_line *line)
{
	out_pad(line->out, ' ', line->pending);
	line->pending = 0;
}

/* An explanation goes on in the next line, below where it began. */
static void wrap_words(struct table_line *line, struct bytes text, size_t room)
{
	size_t indent = 0;

	for (size_t i = 0; i + 1 < line->count; i++)
		indent += line->widths[i] + 1;
	while (text.len > room) {
		size_t len = room;

		while (len && text.data[len] != ' ')
			len--;
		if (!len)
			break;
		out_mem(line->out, text.data, len);
		out_char(line->out, '\n');
		out_pad(line->out, ' ', indent);
		text.data += len + 1;
		text.len -= len + 1;
	}
	encode_text_cut(line->out, text, room);
}

/* A text that is wider than its room. Returns the width in columns. */
static size_t cut_cell(struct table_line *line, size_t i, struct bytes text, size_t room)
{
	enum value_type type = line->selection->columns[i]->type;

	if (type == VALUE_TEXT)
		return encode_name_cut(line->out, text, room);
	if (type != VALUE_WORD || i + 1 < line->count)
		return encode_text_cut(line->out, text, room);
	wrap_words(line, text, room);
	return room;
}

static void put_cell(struct table_line *line, size_t i, struct bytes text, size_t width, bool cut)
{
	size_t pad = line->widths[i] > width ? line->widths[i] - width : 0;
	size_t room = i + 1 == line->count ? table_line_last_room(line) :
		      line->shrunk	   ? line->widths[i] :
					     SIZE_MAX;

	line->pending += i > 0;
	if (!text.len) {
		line->pending += pad;
		return;
	}
	if (value_type_is_number(line->selection->columns[i]->type)) {
		line->pending += pad;
		pad = 0;
	}
	put_pending(line);
	if (cut && width > room)
		pad = room - cut_cell(line, i, text, room);
	else
		out_mem(line->out, text.data, text.len);
	line->pending = pad;
}

/* Of --raw: words for awk, so that a row has as many as there are columns. */
static void put_raw(struct table_line *line, size_t i, struct bytes text)
{
	if (i)
		out_char(line->out, ' ');
	if (!text.len)
		out_char(line->out, '-');
	for (size_t at = 0; at < text.len; at++)
		if (text.data[at] == ' ')
			out_str(line->out, "\\x20");
		else
			out_char(line->out, text.data[at]);
}

void table_line_cell(struct table_line *line, size_t i, struct bytes text, size_t width)
{
	if (line->options->raw)
		put_raw(line, i, text);
	else
		put_cell(line, i, text, width,
			 !value_type_is_number(line->selection->columns[i]->type));
}

void table_line_heading(struct table_line *line, size_t i, struct bytes text)
{
	if (line->options->raw)
		put_raw(line, i, text);
	else
		put_cell(line, i, text, text.len, true);
}

void table_line_end(struct table_line *line, const char *tone)
{
	if (tone)
		out_str(line->out, "\033[0m");
	out_char(line->out, '\n');
	line->pending = 0;
}
