/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "render/format.h"

enum {
	NAME_LEAST = 12,
	CELL_COPIED = 32,
	STEADY_ROOM = 512,
	PAD_MAX = 512,			/* a text that is longer does not widen its column */
	MEASURED_TEXT = 1 << 20,	/* bytes that wait for the widths, about */
	STREAM_MAX = 4096 - CELL_COPIED,
};

/* A cell of a row that waits for the widths: where its text is, and its width in columns. */
struct cell {
	uint32_t offset, len, width;
};

struct table_format {
	struct out *out;
	const struct report_options *options;
	const struct table *table;
	size_t count; /* columns */
	size_t *widths;
	uint64_t *limits;		/* the least number that does not fit the width */
	bool fixed; /* widths are final, rows are written as they come */
	struct out text; /* of the cells that wait */
	struct cell *cells;
	enum tone *tones;
	size_t rows;
	size_t pending; /* blanks that follow only if something follows them */
	bool streams;	  /* row_least is little enough for out_need() */
	size_t row_least; /* room that a row of numbers takes */
	size_t steady_first, steady_end; /* columns that a row may have in common with the last */
	size_t steady_len;		 /* of their cells in that row; 0: not kept */
	char steady[STEADY_ROOM];
};

void *table_format_new(struct out *out, const struct report_options *options)
{
	struct table_format *format = mem_zalloc(sizeof(*format));

	format->out = out;
	format->options = options;
	out_init_memory(&format->text);
	return format;
}

static void table_free(void *opaque)
{
	struct table_format *format = opaque;

	out_fini(&format->text);
	free(format->widths);
	free(format->limits);
	free(format->cells);
	free(format->tones);
	free(format);
}

static const struct column *column_at(const struct table_format *format, size_t i)
{
	return format->table->selection->columns[i];
}

static void table_begin(void *opaque, const struct table *table)
{
	struct table_format *format = opaque;

	format->table = table;
	if (table->json_only)
		return;
	format->count = table->selection->count;
	format->widths = mem_grow(format->widths, format->count, sizeof(format->widths[0]));
	for (size_t i = 0; i < format->count; i++)
		format->widths[i] =
			format->options->noheadings ? 0 : strlen(column_at(format, i)->heading);
	format->limits = mem_grow(format->limits, format->count, sizeof(format->limits[0]));
	format->fixed = false;
	format->rows = 0;
	format->text.len = 0;
	format->cells =
		mem_grow(format->cells, REPORT_MEASURED * format->count, sizeof(format->cells[0]));
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

/* Room for the last column on a terminal: what the others leave, but something in any case. */
static size_t last_room(const struct table_format *format)
{
	size_t used = 0;

	if (!format->options->width)
		return SIZE_MAX;
	for (size_t i = 0; i + 1 < format->count; i++)
		used += format->widths[i] + 1;
	return format->options->width > used + NAME_LEAST ? format->options->width - used :
							    NAME_LEAST;
}

/* The blanks before a cell. Those behind the last one of a row are never written. */
static void put_pending(struct table_format *format)
{
	out_pad(format->out, ' ', format->pending);
	format->pending = 0;
}

static void put_cell(struct table_format *format, size_t i, const char *text,
		     const struct cell *cell)
{
	struct out *out = format->out;
	bool last = i + 1 == format->count;
	size_t pad = format->widths[i] > cell->width ? format->widths[i] - cell->width : 0;
	struct bytes bytes = { text + cell->offset, cell->len };

	format->pending += i > 0;
	if (!cell->len) {
		format->pending += pad;
		return;
	}
	if (value_type_is_number(column_at(format, i)->type)) {
		format->pending += pad;
		pad = 0;
	}
	put_pending(format);
	if (last && cell->width > last_room(format))
		encode_text_cut(out, bytes, last_room(format));
	else
		out_mem(out, bytes.data, bytes.len);
	format->pending = pad;
}

static void end_row(struct table_format *format, const char *tone)
{
	out_str(format->out, tone ? "\033[0m\n" : "\n");
	format->pending = 0;
}

static void put_row(struct table_format *format, const char *text, const struct cell *cells,
		    enum tone tone)
{
	const char *start = format->options->color ? tone_start(tone) : NULL;

	if (start)
		out_str(format->out, start);
	for (size_t i = 0; i < format->count; i++)
		put_cell(format, i, text, &cells[i]);
	end_row(format, start);
}

static void put_headings(struct table_format *format)
{
	if (format->options->noheadings)
		return;
	for (size_t i = 0; i < format->count; i++) {
		const char *heading = column_at(format, i)->heading;
		struct cell cell = { 0, (uint32_t)strlen(heading), (uint32_t)strlen(heading) };

		put_cell(format, i, heading, &cell);
	}
	end_row(format, NULL);
}

/* The least number that needs more digits than width. */
static uint64_t limit_of(enum value_type type, size_t width)
{
	uint64_t limit = 1, base = type == VALUE_ADDR ? 16 : 10;

	for (size_t i = 0; i < width && !__builtin_mul_overflow(limit, base, &limit); i++)
		;
	return limit;
}

/* The longest run of steady columns. */
static void find_steady(struct table_format *format)
{
	size_t start = 0;

	format->steady_first = format->steady_end = format->steady_len = 0;
	for (size_t i = 0; i < format->count; i++) {
		if (!column_at(format, i)->steady)
			start = i + 1;
		else if (i + 1 - start > format->steady_end - format->steady_first) {
			format->steady_first = start;
			format->steady_end = i + 1;
		}
	}
}

/* The widths are known: write what waits. */
static void fix(struct table_format *format)
{
	format->fixed = true;
	format->row_least = 0;
	for (size_t i = 0; i < format->count; i++) {
		if (format->widths[i] > PAD_MAX)
			format->widths[i] = PAD_MAX;
		format->row_least += format->widths[i] + 1;
		format->limits[i] = limit_of(column_at(format, i)->type, format->widths[i]);
	}
	format->streams = format->row_least <= STREAM_MAX;
	format->row_least += CELL_COPIED;
	find_steady(format);
	put_headings(format);
	for (size_t i = 0; i < format->rows; i++)
		put_row(format, format->text.buf, &format->cells[i * format->count],
			format->tones[i]);
	format->text.len = 0;
}

static void make_cells(struct table_format *format, const void *row, struct cell *cells)
{
	for (size_t i = 0; i < format->count; i++) {
		const struct column *column = column_at(format, i);
		struct value value = column->get(row, column);
		size_t offset = format->text.len;
		size_t width = format_cell(&format->text, format->options, column, &value);

		cells[i] = (struct cell){ (uint32_t)offset, (uint32_t)(format->text.len - offset),
					  (uint32_t)width };
	}
}

/* Right-aligned in its width, written in place. False where it does not fit. */
static inline bool stream_number(struct table_format *format, size_t i, enum value_type type,
				 uint64_t number)
{
	static const char blanks[CELL_COPIED + 1] = "                                ";
	size_t width = format->widths[i] + (i > 0);
	char *at = format->out->buf + format->out->len, *end = at + width;
	size_t least = type == VALUE_ADDR ? 16 : 20;

	if (width > CELL_COPIED || (format->widths[i] < least && number >= format->limits[i]))
		return false;
	memcpy(at, blanks, CELL_COPIED);
	if (type == VALUE_ADDR)
		num_hex_before(end, number, 12);
	else if (number)
		num_u64_before(end, number);
	else
		end[-1] = '.';
	format->out->len += width;
	return true;
}

/* Left-aligned in its width; the blanks behind it wait for the next cell. */
static inline bool stream_word(struct table_format *format, size_t i, const char *word)
{
	size_t width = format->widths[i], len = 0;
	struct out *out = format->out;
	char *at = out->buf + out->len;

	if (width > CELL_COPIED || i + 1 == format->count)
		return false;
	for (size_t blanks = format->pending + (i > 0); blanks; blanks--)
		*at++ = ' ';
	for (; len < width && word[len]; len++)
		at[len] = word[len];
	if (word[len])
		return false;
	out->len = (size_t)(at - out->buf) + len;
	format->pending = width - len;
	return true;
}

/* Whether a cell is a plain number that needs no scaling. */
static bool is_plain(const struct table_format *format, enum value_type type,
		     const struct value *value)
{
	if (value->reason)
		return false;
	return type == VALUE_ADDR || type == VALUE_COUNT ||
	       (type == VALUE_BYTES && (!value->u || format->options->units == UNITS_BYTES));
}

/* A cell that needs more: scaling, encoding, an end that is cut. */
static void stream_slowly(struct table_format *format, size_t i, const struct value *value)
{
	struct cell cell = { 0 };

	format->text.len = 0;
	cell.width =
		(uint32_t)format_cell(&format->text, format->options, column_at(format, i), value);
	cell.len = (uint32_t)format->text.len;
	put_cell(format, i, format->text.buf, &cell);
	out_need(format->out, format->row_least);
}

/* One cell, in place where it can be. */
static inline __attribute__((always_inline)) void stream_cell(struct table_format *format, size_t i,
							      const void *row)
{
	const struct column *column = column_at(format, i);
	struct value value = column->get(row, column);

	/* a name that is not there */
	if (column->type == VALUE_TEXT && !value.reason && !value.text.len) {
		format->pending += format->widths[i] + (i > 0);
		return;
	}
	if (!format->pending && is_plain(format, column->type, &value) &&
	    stream_number(format, i, column->type, value.u))
		return;
	if (column->type == VALUE_WORD && !value.reason && stream_word(format, i, value.word))
		return;
	stream_slowly(format, i, &value);
}

/*
 * The steady columns: copied from the row before where they are the same (a table of 60,000 alike
 * mappings: 3 % less of the run's CPU), else written, and kept where they came out in one piece.
 */
static void stream_steady(struct table_format *format, const void *row)
{
	bool repeats = format->table->repeats && format->table->repeats(row);
	struct out *out = format->out;
	size_t start = format->pending ? SIZE_MAX : out->len;

	if (repeats && format->steady_len && !format->pending) {
		out_mem(out, format->steady, format->steady_len);
		out_need(out, format->row_least);
		return;
	}
	format->steady_len = 0;
	for (size_t i = format->steady_first; i < format->steady_end; i++)
		stream_cell(format, i, row);
	if (out->len <= start || out->len - start > STEADY_ROOM || format->pending)
		return;
	format->steady_len = out->len - start;
	memcpy(format->steady, out->buf + start, format->steady_len);
}

/* A row whose widths are known goes straight to the output, if it can. */
static void stream_row(struct table_format *format, const void *row, const char *tone)
{
	if (tone)
		out_str(format->out, tone);
	out_need(format->out, format->row_least);
	for (size_t i = 0; i < format->count; i++) {
		if (i == format->steady_first && format->steady_end > i) {
			stream_steady(format, row);
			i = format->steady_end - 1;
		} else {
			stream_cell(format, i, row);
		}
	}
	end_row(format, tone);
}

/* A row that comes when the widths are known. */
static void late_row(struct table_format *format, const void *row, enum tone tone)
{
	if (format->streams) {
		stream_row(format, row, format->options->color ? tone_start(tone) : NULL);
		return;
	}
	format->text.len = 0;
	make_cells(format, row, format->cells);
	put_row(format, format->text.buf, format->cells, tone);
}

static void table_row(void *opaque, const void *row)
{
	struct table_format *format = opaque;
	struct cell *cells;
	enum tone tone;

	if (format->table->json_only)
		return;
	tone = format->table->tone ? format->table->tone(row) : TONE_PLAIN;
	if (!format->fixed && (format->rows == REPORT_MEASURED || format->text.len > MEASURED_TEXT))
		fix(format);
	if (format->fixed) {
		late_row(format, row, tone);
		return;
	}
	cells = &format->cells[format->rows * format->count];
	make_cells(format, row, cells);
	for (size_t i = 0; i < format->count; i++)
		if (cells[i].width > format->widths[i])
			format->widths[i] = cells[i].width;
	format->tones[format->rows++] = tone;
}

static void table_end(void *opaque)
{
	struct table_format *format = opaque;

	if (!format->table->json_only && !format->fixed)
		fix(format);
}

const struct format_ops table_format = {
	.table = table_begin,
	.row = table_row,
	.table_end = table_end,
	.free = table_free,
};
