/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/out.h"
#include "render/format.h"
#include "render/table_fit.h"
#include "render/table_line.h"
#include "render/table_rest.h"
#include "render/table_stream.h"

enum {
	PAD_MAX = 512, /* a text that is longer does not widen its column */
	MEASURED_TEXT = 1 << 20, /* bytes that wait for the widths, about */
};

/* A cell of a row that waits for the widths: where its text is, and its width in columns. */
struct cell {
	uint32_t offset, len, width;
};

struct table_format {
	struct table_line line;
	const struct table *table;
	bool fixed; /* widths are final, rows are written as they come */
	bool streams; /* and in place */
	struct table_stream *stream;
	struct table_rest *rest; /* rows that are not shown */
	struct out text; /* of the cells that wait */
	struct cell *cells;
	enum tone *tones;
	size_t rows, taken; /* waiting; of all */
	bool *blank; /* columns that were zero or absent in all rows that wait */
	struct selection kept; /* columns that have room */
};

void *table_format_new(struct out *out, const struct report_options *options)
{
	struct table_format *format = mem_zalloc(sizeof(*format));

	format->line.out = out;
	format->line.options = options;
	format->stream = table_stream_new(&format->line);
	format->rest = table_rest_new();
	out_init_memory(&format->text);
	return format;
}

static void table_free(void *opaque)
{
	struct table_format *format = opaque;

	out_fini(&format->text);
	table_stream_free(format->stream);
	table_rest_free(format->rest);
	free(format->line.widths);
	free(format->cells);
	free(format->blank);
	free(format->kept.columns);
	free(format->tones);
	free(format);
}

static const struct column *column_at(const struct table_format *format, size_t i)
{
	return format->line.selection->columns[i];
}

static void table_begin(void *opaque, const struct table *table)
{
	struct table_format *format = opaque;
	struct table_line *line = &format->line;

	format->table = table;
	if (table->json_only)
		return;
	line->selection = table->selection;
	line->count = table->selection->count;
	line->widths = mem_grow(line->widths, line->count, sizeof(line->widths[0]));
	for (size_t i = 0; i < line->count; i++)
		line->widths[i] = line->options->noheadings ? 0 :
							      strlen(column_at(format, i)->heading);
	line->shrunk = false;
	format->blank = mem_grow(format->blank, line->count, sizeof(format->blank[0]));
	memset(format->blank, true, line->count);
	table_rest_begin(format->rest, table->selection);
	format->fixed = false;
	format->rows = format->taken = 0;
	format->text.len = 0;
	format->cells =
		mem_grow(format->cells, REPORT_MEASURED * line->count, sizeof(format->cells[0]));
	format->tones = mem_grow(format->tones, REPORT_MEASURED, sizeof(format->tones[0]));
}

static const char *tone_start(enum tone tone)
{
	static const char *const starts[] = {
		[TONE_GOOD] = "\033[32m",
		[TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[31m",
		[TONE_DIM] = "\033[2m",
	};

	return starts[tone];
}

static const char *color_of(const struct table_format *format, enum tone tone)
{
	return format->line.options->color ? tone_start(tone) : NULL;
}

static void put_row(struct table_format *format, const struct cell *cells, enum tone tone)
{
	const char *start = color_of(format, tone), *text = format->text.buf;

	if (start)
		out_str(format->line.out, start);
	for (size_t i = 0; i < format->line.count; i++)
		table_line_cell(&format->line, i,
				(struct bytes){ text + cells[i].offset, cells[i].len },
				cells[i].width);
	table_line_end(&format->line, start);
}

static void put_headings(struct table_format *format)
{
	if (format->line.options->noheadings)
		return;
	for (size_t i = 0; i < format->line.count; i++)
		table_line_heading(&format->line, i, bytes_of(column_at(format, i)->heading));
	table_line_end(&format->line, NULL);
}

/* Leave out the columns that have no room, and their cells in the rows that wait. */
static void leave_out(struct table_format *format)
{
	struct table_line *line = &format->line;
	const size_t all = line->count;
	bool *kept = mem_alloc(all * sizeof(*kept));
	size_t count = 0;

	table_fit(line, format->table, format->blank, kept);
	format->kept.columns = mem_grow(format->kept.columns, all, sizeof(format->kept.columns[0]));
	for (size_t i = 0; i < all; i++) {
		if (!kept[i])
			continue;
		format->kept.columns[count] = column_at(format, i);
		line->widths[count] = line->widths[i];
		for (size_t row = 0; row < format->rows; row++)
			format->cells[row * all + count] = format->cells[row * all + i];
		count++;
	}
	for (size_t row = 0; row < format->rows && count < all; row++)
		memmove(&format->cells[row * count], &format->cells[row * all],
			count * sizeof(format->cells[0]));
	format->kept.count = line->count = count;
	line->selection = &format->kept;
	free(kept);
}

/* The widths are known: write what waits. */
static void fix(struct table_format *format)
{
	struct table_line *line = &format->line;

	format->fixed = true;
	for (size_t i = 0; i < line->count; i++)
		if (line->widths[i] > PAD_MAX)
			line->widths[i] = PAD_MAX;
	leave_out(format);
	table_shrink(line);
	put_headings(format);
	for (size_t i = 0; i < format->rows; i++)
		put_row(format, &format->cells[i * line->count], format->tones[i]);
	format->text.len = 0;
}

static struct cell make_cell(struct table_format *format, size_t i, const struct value *value)
{
	size_t offset = format->text.len;
	size_t width =
		format_cell(&format->text, format->line.options, column_at(format, i), value);
	const char *text = format->text.buf + offset;

	if (width > 1 || (width == 1 && *text != '.' && *text != '-'))
		format->blank[i] = false;
	return (struct cell){ (uint32_t)offset, (uint32_t)(format->text.len - offset),
			      (uint32_t)width };
}

static void make_cells(struct table_format *format, const void *row, struct cell *cells)
{
	for (size_t i = 0; i < format->line.count; i++) {
		const struct column *column = column_at(format, i);
		struct value value = column->get(row, column);

		cells[i] = make_cell(format, i, &value);
	}
}

/* A row that comes when the widths are known. */
static void late_row(struct table_format *format, const void *row, enum tone tone)
{
	if (format->streams) {
		table_stream_row(format->stream, row, color_of(format, tone));
		return;
	}
	format->text.len = 0;
	make_cells(format, row, format->cells);
	put_row(format, format->cells, tone);
}

/* The cells of a row that waits are made: how wide they are. */
static void measure(struct table_format *format, enum tone tone)
{
	struct table_line *line = &format->line;
	const struct cell *cells = &format->cells[format->rows * line->count];

	for (size_t i = 0; i < line->count; i++)
		if (cells[i].width > line->widths[i])
			line->widths[i] = cells[i].width;
	format->tones[format->rows++] = tone;
}

static void measured_row(struct table_format *format, const void *row, enum tone tone)
{
	make_cells(format, row, &format->cells[format->rows * format->line.count]);
	measure(format, tone);
}

/* The row that stands for those that are not shown. */
static void rest_row(struct table_format *format)
{
	const struct column *words = table_rest_words(format->rest);
	struct cell *cells = format->cells;

	if (format->rows == REPORT_MEASURED && !format->fixed)
		fix(format);
	if (!format->fixed)
		cells += format->rows * format->line.count;
	for (size_t i = 0; i < format->line.count; i++) {
		size_t offset = format->text.len;
		struct value value;

		cells[i] = (struct cell){ .offset = (uint32_t)offset };
		if (column_at(format, i) == words) {
			out_printf(&format->text, "%zu more", table_rest_count(format->rest));
			cells[i].len = cells[i].width = (uint32_t)(format->text.len - offset);
		} else if (table_rest_sum(format->rest, column_at(format, i), &value)) {
			cells[i] = make_cell(format, i, &value);
		}
	}
	if (format->fixed)
		put_row(format, cells, TONE_DIM);
	else
		measure(format, TONE_DIM);
}

static void table_row(void *opaque, const void *row)
{
	struct table_format *format = opaque;
	enum tone tone = TONE_PLAIN;

	if (format->table->json_only)
		return;
	if (format->table->shown && format->taken++ >= format->table->shown) {
		table_rest_add(format->rest, row);
		return;
	}
	if (format->line.options->color && format->table->tone)
		tone = format->table->tone(row);
	if (!format->fixed && (format->line.options->raw || format->rows == REPORT_MEASURED ||
			       format->text.len > MEASURED_TEXT)) {
		fix(format);
		format->streams = !format->line.options->raw &&
				  table_stream_begin(format->stream, format->table);
	}
	if (format->fixed)
		late_row(format, row, tone);
	else
		measured_row(format, row, tone);
}

static void table_end(void *opaque)
{
	struct table_format *format = opaque;

	if (format->table->json_only)
		return;
	if (table_rest_count(format->rest))
		rest_row(format);
	if (!format->fixed)
		fix(format);
}

const struct format_ops table_format = {
	.table = table_begin,
	.row = table_row,
	.table_end = table_end,
	.free = table_free,
};
