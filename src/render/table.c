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
	TEXT_KEPT = 128,
	STEADY_ROOM = 512,
	STEADY_COPIED = 64,
	PAD_MAX = 512, /* a text that is longer does not widen its column */
	MEASURED_TEXT = 1 << 20, /* bytes that wait for the widths, about */
	STREAM_MAX = 4096 - STEADY_COPIED,
};

/* A cell of a row that waits for the widths: where its text is, and its width in columns. */
struct cell {
	uint32_t offset, len, width;
};

enum stream_how {
	STREAM_SLOW, /* by put_cell() alone */
	STREAM_NUMBER,
	STREAM_SIZE, /* a number that is scaled for people */
	STREAM_ADDR,
	STREAM_WORD,
	STREAM_TEXT,
};

/* A column of a table that is streamed. */
struct stream_column {
	const struct column *column;
	enum stream_how how;
	bool last;
	size_t width; /* with the blank before it */
	uint64_t limit; /* numbers below fit */
	uint64_t scaled; /* the size whose cell is kept; 0: none */
	char cell[CELL_COPIED]; /* it */
	uint8_t source_len, text_len; /* of the last text and of its cell; 0: not kept */
	char source[TEXT_KEPT], text[TEXT_KEPT];
};

struct table_format {
	struct out *out;
	const struct report_options *options;
	const struct table *table;
	size_t count; /* columns */
	size_t *widths;
	struct stream_column *stream;
	bool fixed; /* widths are final, rows are written as they come */
	struct out text; /* of the cells that wait */
	struct cell *cells;
	enum tone *tones;
	size_t rows;
	size_t pending; /* blanks that follow only if something follows them */
	bool streams; /* row_least is little enough for out_need() */
	size_t row_least; /* room that a row of numbers takes */
	size_t steady_first, steady_end; /* columns that a row may have in common with the last */
	size_t steady_len; /* of their cells in that row; 0: not kept */
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
	free(format->stream);
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
	format->stream = mem_grow(format->stream, format->count, sizeof(format->stream[0]));
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
	if (tone)
		out_str(format->out, "\033[0m");
	out_char(format->out, '\n');
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

/* Numbers below fit the width. An address has at least twelve digits. */
static uint64_t limit_of(enum value_type type, size_t width)
{
	uint64_t limit = 1, base = type == VALUE_ADDR ? 16 : 10;

	if (type == VALUE_ADDR && width < 12)
		return 0;
	for (size_t i = 0; i < width; i++)
		if (__builtin_mul_overflow(limit, base, &limit))
			return UINT64_MAX;
	return limit;
}

static enum stream_how stream_how(const struct table_format *format, const struct column *column,
				  size_t width)
{
	if (column->type == VALUE_TEXT)
		return STREAM_TEXT;
	if (!width || width >= CELL_COPIED)
		return STREAM_SLOW;
	switch (column->type) {
	case VALUE_ADDR:
		return STREAM_ADDR;
	case VALUE_COUNT:
		return STREAM_NUMBER;
	case VALUE_BYTES:
		return format->options->units == UNITS_BYTES ? STREAM_NUMBER : STREAM_SIZE;
	case VALUE_WORD:
		return STREAM_WORD;
	default:
		return STREAM_SLOW;
	}
}

static void prepare_stream(struct table_format *format, size_t i)
{
	const struct column *column = column_at(format, i);
	size_t width = format->widths[i];

	format->stream[i] = (struct stream_column){
		.column = column,
		.how = stream_how(format, column, width),
		.width = width + (i > 0),
		.last = i + 1 == format->count,
		.limit = limit_of(column->type, width),
	};
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
		prepare_stream(format, i);
	}
	format->streams = format->row_least <= STREAM_MAX;
	format->row_least += STEADY_COPIED;
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

/*
 * Rows whose widths are known are written in place. at is where the next cell begins; all blanks are
 * written at once, and those behind the last text of a row are taken back.
 */
struct stream {
	char *at, *text_end;
};

static const char blanks[CELL_COPIED + 1] = "                                ";

/* Right-aligned. False where it does not fit. */
static inline bool stream_number(const struct stream_column *made, struct stream *stream,
				 uint64_t number)
{
	char *end = stream->at + made->width;

	if (number >= made->limit)
		return false;
	memcpy(stream->at, blanks, CELL_COPIED);
	if (made->how == STREAM_ADDR)
		num_hex_before(end, number, 12);
	else if (number)
		num_u64_before(end, number);
	else
		end[-1] = '.';
	stream->at = stream->text_end = end;
	return true;
}

/* The same for a size: mappings of one size are many. */
static inline bool stream_size(struct stream_column *made, struct stream *stream, uint64_t bytes)
{
	if (!bytes)
		return stream_number(made, stream, 0);
	if (bytes != made->scaled)
		return false;
	memcpy(stream->at, made->cell, CELL_COPIED);
	stream->at += made->width;
	stream->text_end = stream->at;
	return true;
}

/* Left-aligned. False where it does not fit. */
static inline bool stream_word(const struct stream_column *made, struct stream *stream, bool first,
			       const char *word)
{
	char *at = stream->at, *end = at + made->width;

	memcpy(at, blanks, CELL_COPIED);
	if (*word) {
		for (at += !first; at < end && *word; at++)
			*at = *word++;
		if (*word)
			return false;
		stream->text_end = at;
	}
	stream->at = end;
	return true;
}

/* A text that comes again: most mappings are of the file of the one before. */
static __attribute__((noinline)) bool
stream_text(const struct stream_column *made, struct stream *stream, bool first, struct bytes text)
{
	char *at = stream->at, *end = at + made->width;

	if (text.len != made->source_len || memcmp(text.data, made->source, text.len) != 0)
		return false;
	*at = ' ';
	at += !first;
	memcpy(at, made->text, made->text_len);
	stream->at = stream->text_end = at + made->text_len;
	if (!made->last) {
		memset(stream->at, ' ', (size_t)(end - stream->at));
		stream->at = end;
	}
	return true;
}

/* A cell in place; false where it needs more: other units, encoding, an end that is cut. */
static inline bool stream_value(struct stream_column *made, struct stream *stream, bool first,
				const struct value *value)
{
	if (value->reason)
		return false;
	switch (made->how) {
	case STREAM_NUMBER:
	case STREAM_ADDR:
		return stream_number(made, stream, value->u);
	case STREAM_SIZE:
		return stream_size(made, stream, value->u);
	case STREAM_WORD:
		return stream_word(made, stream, first, value->word);
	case STREAM_TEXT:
		if (value->text.len)
			return stream_text(made, stream, first, value->text);
		/* a name that is not there */
		if (!made->last) {
			memset(stream->at, ' ', made->width);
			stream->at += made->width;
		}
		return true;
	case STREAM_SLOW:
		break;
	}
	return false;
}

/* A cell that was not cut, a byte for each of its columns, and that fits the width. */
static void keep_text(const struct table_format *format, struct stream_column *made,
		      struct bytes source, const struct cell *cell)
{
	const size_t width = made->width - (made != format->stream);

	made->source_len = 0;
	if (!source.len || source.len > TEXT_KEPT || cell->len > TEXT_KEPT || cell->len > width ||
	    cell->len != cell->width || (made->last && cell->width > last_room(format)))
		return;
	made->source_len = (uint8_t)source.len;
	made->text_len = (uint8_t)cell->len;
	memcpy(made->source, source.data, source.len);
	memcpy(made->text, format->text.buf, cell->len);
}

static void stream_slowly(struct table_format *format, size_t i, struct stream *stream,
			  const struct value *value)
{
	struct stream_column *made = &format->stream[i];
	struct out *out = format->out;
	struct cell cell = { 0 };

	format->pending = (size_t)(stream->at - stream->text_end);
	out->len = (size_t)(stream->text_end - out->buf);
	format->text.len = 0;
	cell.width =
		(uint32_t)format_cell(&format->text, format->options, column_at(format, i), value);
	cell.len = (uint32_t)format->text.len;
	put_cell(format, i, format->text.buf, &cell);
	out_need(out, format->row_least);
	stream->text_end = out->buf + out->len;
	memset(stream->text_end, ' ', format->pending);
	stream->at = stream->text_end + format->pending;
	format->pending = 0;
	if (made->how == STREAM_SIZE && !value->reason && cell.len < made->width) {
		memcpy(made->cell, blanks, CELL_COPIED);
		memcpy(made->cell + made->width - cell.len, format->text.buf, cell.len);
		made->scaled = value->u;
	}
	if (made->how == STREAM_TEXT && !value->reason)
		keep_text(format, made, value->text, &cell);
}

static inline __attribute__((always_inline)) void
stream_cell(struct table_format *format, size_t i, struct stream *stream, const void *row)
{
	struct stream_column *made = &format->stream[i];
	struct value value = made->column->get(row, made->column);

	if (!stream_value(made, stream, i == 0, &value))
		stream_slowly(format, i, stream, &value);
}

/*
 * The steady columns: copied from the row before where they are the same (a table of 60,000 alike
 * mappings: 3 % less of the run's CPU), else written, and kept where they came out in one piece.
 */
static void stream_steady(struct table_format *format, struct stream *stream, const void *row)
{
	const char *buf = format->out->buf;
	size_t start = (size_t)(stream->at - buf), end;

	if (format->steady_len && format->table->repeats && format->table->repeats(row)) {
		if (format->steady_len <= STEADY_COPIED)
			memcpy(stream->at, format->steady, STEADY_COPIED);
		else
			memcpy(stream->at, format->steady, format->steady_len);
		stream->at += format->steady_len;
		stream->text_end = stream->at;
		return;
	}
	format->steady_len = 0;
	for (size_t i = format->steady_first; i < format->steady_end; i++)
		stream_cell(format, i, stream, row);
	buf = format->out->buf;
	end = (size_t)(stream->at - buf);
	/* not where the buffer was written meanwhile */
	if (end <= start || end - start > STEADY_ROOM || stream->text_end != stream->at)
		return;
	format->steady_len = end - start;
	memcpy(format->steady, buf + start, format->steady_len);
}

/* A row whose widths are known goes straight to the output, if it can. */
static void stream_row(struct table_format *format, const void *row, const char *tone)
{
	struct out *out = format->out;
	struct stream stream;

	if (tone)
		out_str(out, tone);
	out_need(out, format->row_least);
	stream.at = stream.text_end = out->buf + out->len;
	for (size_t i = 0; i < format->count; i++) {
		if (i == format->steady_first && format->steady_end > i) {
			stream_steady(format, &stream, row);
			i = format->steady_end - 1;
		} else {
			stream_cell(format, i, &stream, row);
		}
	}
	out->len = (size_t)(stream.text_end - out->buf);
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
