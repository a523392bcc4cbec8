/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/table_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/num.h"
#include "base/out.h"
#include "render/format.h"
#include "render/table_line.h"

enum {
	CELL_COPIED = 32,
	TEXT_KEPT = 128,
	WORDS_KEPT = 8,
	STEADY_ROOM = 512,
	STEADY_COPIED = 64,
	STREAM_MAX = 4096 - STEADY_COPIED,
};

struct made;

struct kept_word {
	const char *word;
	uint8_t len;
	char cell[CELL_COPIED];
};

/*
 * Write the cell of row at at, which may take CELL_COPIED bytes more than it is wide. Returns the end
 * of its text, at where it has none, or NULL where it needs more: other units, encoding, an end that
 * is cut. What is of the cell before and behind its text is then blank.
 */
typedef char *put_fn(struct made *made, char *at, const void *row);

/* A column of a table that is streamed. */
struct made {
	put_fn *put;
	const struct column *column;
	size_t width; /* with the blank before it */
	uint64_t limit; /* numbers below fit */
	/* one of: */
	struct number (*number)(const void *row, const struct column *column);
	struct bytes (*text)(const void *row, const struct column *column);
	uint64_t cell_number; /* whose cell is kept, where cell_kept */
	char cell[CELL_COPIED];
	bool cell_kept;
	bool first, last;
	uint8_t source_len, text_len; /* of the last text and of its cell; 0: not kept */
	char source[TEXT_KEPT], cell_text[TEXT_KEPT];
	struct kept_word words[WORDS_KEPT];
};

struct table_stream {
	struct table_line *line;
	const struct table *table;
	struct made *columns;
	/*
	 * Of the row that is written now: where the next cell begins, where its last text ended. Not
	 * neighbours: the compiler would make a vector of the two, and take them apart for each cell.
	 */
	char *at;
	struct out text; /* of a cell that could not be written in place */
	char *text_end;
	size_t row_least; /* room that a row of numbers takes */
	size_t steady_first, steady_end; /* columns that a row may have in common with the last */
	size_t steady_len; /* of their cells in that row; 0: not kept */
	char steady[STEADY_ROOM];
};

struct table_stream *table_stream_new(struct table_line *line)
{
	struct table_stream *stream = mem_zalloc(sizeof(*stream));

	stream->line = line;
	out_init_memory(&stream->text);
	return stream;
}

void table_stream_free(struct table_stream *stream)
{
	if (!stream)
		return;
	out_fini(&stream->text);
	free(stream->columns);
	free(stream);
}

static const char blanks[CELL_COPIED + 1] = "                                ";

static char *put_nothing(struct made *made, char *at, const void *row)
{
	(void)made;
	(void)at;
	(void)row;
	return NULL;
}

/* Right-aligned. Neighbours differ in their last eight digits. */
static char *put_addr(struct made *made, char *at, const void *row)
{
	struct number number = made->number(row, made->column);
	char *end = at + made->width;

	if (number.reason || number.u >= made->limit)
		return NULL;
	if (made->cell_kept && number.u >> 32 == made->cell_number >> 32) {
		memcpy(at, made->cell, CELL_COPIED);
		num_put_hex8(end - 8, (uint32_t)number.u);
		return end;
	}
	memcpy(at, blanks, CELL_COPIED);
	num_hex_before(end, number.u, 12);
	memcpy(made->cell, at, CELL_COPIED);
	made->cell_number = number.u;
	made->cell_kept = true;
	return end;
}

/* Many rows have the number of the row before: one page, none swapped. */
static inline char *put_kept(const struct made *made, char *at)
{
	memcpy(at, made->cell, CELL_COPIED);
	return at + made->width;
}

static char *put_number(struct made *made, char *at, const void *row)
{
	struct number number = made->number(row, made->column);
	char *end = at + made->width;

	if (number.reason || number.u >= made->limit)
		return NULL;
	if (number.u == made->cell_number && made->cell_kept)
		return put_kept(made, at);
	memcpy(at, blanks, CELL_COPIED);
	if (number.u)
		num_u64_before(end, number.u);
	else
		end[-1] = '.';
	memcpy(made->cell, at, CELL_COPIED);
	made->cell_number = number.u;
	made->cell_kept = true;
	return end;
}

/* A number that is scaled by pages: the slow way makes the cell that is kept. */
static char *put_pages(struct made *made, char *at, const void *row)
{
	struct number number = made->number(row, made->column);

	if (number.reason)
		return NULL;
	if (number.u == made->cell_number && made->cell_kept)
		return put_kept(made, at);
	if (number.u)
		return NULL;
	memcpy(at, blanks, CELL_COPIED);
	at[made->width - 1] = '.';
	return at + made->width;
}

/* One that is scaled for people. */
static char *put_size(struct made *made, char *at, const void *row)
{
	struct number number = made->number(row, made->column);
	char text[NUM_MAX];
	size_t len = 1;

	if (number.reason)
		return NULL;
	if (number.u == made->cell_number && made->cell_kept)
		return put_kept(made, at);
	text[0] = '.';
	if (number.u)
		len = num_human(text, number.u);
	if (len + !made->first > made->width)
		return NULL;
	memcpy(at, blanks, CELL_COPIED);
	memcpy(at + made->width - len, text, len);
	memcpy(made->cell, at, CELL_COPIED);
	made->cell_number = number.u;
	made->cell_kept = true;
	return at + made->width;
}

/* Left-aligned. */
static char *put_letters(const struct made *made, char *at, const char *word)
{
	char *to = at, *end = at + made->width;

	memcpy(at, blanks, CELL_COPIED);
	if (!*word)
		return at;
	for (to += !made->first; to < end && *word; to++)
		*to = *word++;
	return *word ? NULL : to;
}

static char *put_word(struct made *made, char *at, const void *row)
{
	struct value value = made->column->get(row, made->column);

	return value.reason ? NULL : put_letters(made, at, value.word);
}

/* One of few words that are always there, at the same place. */
static char *put_literal(struct made *made, char *at, const void *row)
{
	const char *word = made->column->literal(row, made->column);
	struct kept_word *kept = &made->words[(uintptr_t)word % WORDS_KEPT];
	char *end;

	if (kept->word == word) {
		memcpy(at, kept->cell, CELL_COPIED);
		return at + kept->len;
	}
	end = put_letters(made, at, word);
	if (!end)
		return NULL;
	kept->word = word;
	kept->len = (uint8_t)(end - at);
	memcpy(kept->cell, at, CELL_COPIED);
	return end;
}

/* A name that is not there, or one that comes again: most mappings are of the file of the one before. */
static char *put_text(struct made *made, char *at, const void *row)
{
	struct bytes text = made->text(row, made->column);
	char *to = at;

	if (!text.len) {
		if (!made->last)
			memset(at, ' ', made->width);
		return at;
	}
	if (text.len != made->source_len || memcmp(text.data, made->source, text.len) != 0)
		return NULL;
	*to = ' ';
	to += !made->first;
	/* pieces of fixed length: of another copy the compiler makes a string instruction, which is slow */
	for (size_t i = 0; i < made->text_len; i += CELL_COPIED)
		memcpy(to + i, made->cell_text + i, CELL_COPIED);
	to += made->text_len;
	if (!made->last)
		memset(to, ' ', (size_t)(at + made->width - to));
	return to;
}

/* For columns that have no getter of their own for it. */
static struct number number_by_get(const void *row, const struct column *column)
{
	struct value value = column->get(row, column);

	return (struct number){ value.reason, value.u };
}

static struct bytes text_by_get(const void *row, const struct column *column)
{
	struct value value = column->get(row, column);

	/* longer than any that is kept */
	return value.reason ? (struct bytes){ "", SIZE_MAX } : value.text;
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

static put_fn *how_to_put(const struct table_line *line, size_t i)
{
	const size_t width = line->widths[i];

	switch (line->selection->columns[i]->type) {
	case VALUE_TEXT:
		return put_text;
	case VALUE_ADDR:
		return put_addr;
	case VALUE_COUNT:
		return put_number;
	case VALUE_BYTES:
		return line->options->units == UNITS_BYTES ? put_number :
		       line->options->units == UNITS_PAGES ? put_pages :
							     put_size;
	case VALUE_WORD:
		return i + 1 == line->count && width > table_line_last_room(line) ? put_nothing :
		       line->selection->columns[i]->literal			  ? put_literal :
										    put_word;
	default:
		return put_nothing;
	}
}

static void prepare(struct made *made, const struct table_line *line, size_t i)
{
	const struct column *column = line->selection->columns[i];
	const size_t width = line->widths[i];
	put_fn *put = how_to_put(line, i);

	if (put != put_text && (!width || width >= CELL_COPIED))
		put = put_nothing;
	*made = (struct made){
		.put = put,
		.column = column,
		.width = width + (i > 0),
		.first = i == 0,
		.last = i + 1 == line->count,
		.limit = limit_of(column->type, width),
		.number = column->number ? column->number : number_by_get,
		.text = column->text ? column->text : text_by_get,
	};
}

/* The longest run of steady columns. */
static void find_steady(struct table_stream *stream)
{
	const struct table_line *line = stream->line;
	size_t start = 0;

	stream->steady_first = stream->steady_end = stream->steady_len = 0;
	for (size_t i = 0; i < line->count; i++) {
		if (!line->selection->columns[i]->steady)
			start = i + 1;
		else if (i + 1 - start > stream->steady_end - stream->steady_first) {
			stream->steady_first = start;
			stream->steady_end = i + 1;
		}
	}
}

bool table_stream_begin(struct table_stream *stream, const struct table *table)
{
	const struct table_line *line = stream->line;

	stream->table = table;
	stream->columns = mem_grow(stream->columns, line->count, sizeof(stream->columns[0]));
	stream->row_least = STEADY_COPIED;
	for (size_t i = 0; i < line->count; i++) {
		stream->row_least += line->widths[i] + 1;
		prepare(&stream->columns[i], line, i);
	}
	find_steady(stream);
	return stream->row_least <= STREAM_MAX;
}

/* A cell that was not cut, a byte for each of its columns, and that fits the width. */
static void keep_text(const struct table_stream *stream, struct made *made, struct bytes source,
		      size_t cell_width)
{
	const struct bytes cell = { stream->text.buf, stream->text.len };

	made->source_len = 0;
	if (!source.len || source.len > TEXT_KEPT || cell.len > TEXT_KEPT ||
	    cell.len > made->width - !made->first || cell.len != cell_width ||
	    (made->last && cell_width > table_line_last_room(stream->line)))
		return;
	made->source_len = (uint8_t)source.len;
	made->text_len = (uint8_t)cell.len;
	memcpy(made->source, source.data, source.len);
	memcpy(made->cell_text, cell.data, cell.len);
}

static void keep_size(const struct table_stream *stream, struct made *made, uint64_t number)
{
	const size_t len = stream->text.len;

	if (len >= made->width)
		return;
	memcpy(made->cell, blanks, CELL_COPIED);
	memcpy(made->cell + made->width - len, stream->text.buf, len);
	made->cell_number = number;
	made->cell_kept = true;
}

/* The next cell, by way of its text; then the row goes on in place. */
static __attribute__((noinline)) void put_slowly(struct table_stream *stream, struct made *made,
						 const void *row)
{
	struct value value = made->column->get(row, made->column);
	struct table_line *line = stream->line;
	struct out *out = line->out;
	size_t width;

	line->pending = (size_t)(stream->at - stream->text_end);
	out->len = (size_t)(stream->text_end - out->buf);
	stream->text.len = 0;
	width = format_cell(&stream->text, line->options, made->column, &value);
	table_line_cell(line, (size_t)(made - stream->columns),
			(struct bytes){ stream->text.buf, stream->text.len }, width);
	out_need(out, stream->row_least);
	stream->text_end = out->buf + out->len;
	memset(stream->text_end, ' ', line->pending);
	stream->at = stream->text_end + line->pending;
	line->pending = 0;
	if (made->put == put_pages && !value.reason)
		keep_size(stream, made, value.u);
	if (made->put == put_text && !value.reason)
		keep_text(stream, made, value.text, width);
}

static inline void put_columns(struct table_stream *stream, size_t first, size_t end,
			       const void *row)
{
	struct made *made = stream->columns + first, *last = stream->columns + end;
	char *at = stream->at, *text_end = stream->text_end;

	for (; made < last; made++) {
		char *cell_end = made->put(made, at, row);

		if (!cell_end) {
			stream->at = at;
			stream->text_end = text_end;
			put_slowly(stream, made, row);
			at = stream->at;
			text_end = stream->text_end;
			continue;
		}
		if (cell_end != at)
			text_end = cell_end;
		at += made->width;
	}
	stream->at = at;
	stream->text_end = text_end;
}

/*
 * The steady columns: copied from the row before where they are the same (a table of 60,000 alike
 * mappings: 3 % less of the run's CPU), else written, and kept where they came out in one piece.
 */
static __attribute__((noinline)) void put_steady(struct table_stream *stream, const void *row)
{
	const struct table *table = stream->table;
	const char *buf = stream->line->out->buf;
	size_t start = (size_t)(stream->at - buf), end;

	if (stream->steady_len && table->repeats && table->repeats(row)) {
		if (stream->steady_len <= STEADY_COPIED)
			memcpy(stream->at, stream->steady, STEADY_COPIED);
		else
			memcpy(stream->at, stream->steady, stream->steady_len);
		stream->at += stream->steady_len;
		stream->text_end = stream->at;
		return;
	}
	stream->steady_len = 0;
	put_columns(stream, stream->steady_first, stream->steady_end, row);
	buf = stream->line->out->buf;
	end = (size_t)(stream->at - buf);
	/* not where the buffer was written meanwhile */
	if (end <= start || end - start > STEADY_ROOM || stream->text_end != stream->at)
		return;
	stream->steady_len = end - start;
	memcpy(stream->steady, buf + start, stream->steady_len);
}

void table_stream_row(struct table_stream *stream, const void *row, const char *tone)
{
	struct out *out = stream->line->out;
	size_t first = 0;

	if (tone)
		out_str(out, tone);
	out_need(out, stream->row_least);
	stream->at = stream->text_end = out->buf + out->len;
	if (stream->steady_end) {
		put_columns(stream, 0, stream->steady_first, row);
		put_steady(stream, row);
		first = stream->steady_end;
	}
	put_columns(stream, first, stream->line->count, row);
	out->len = (size_t)(stream->text_end - out->buf);
	if (tone)
		out_str(out, "\033[0m");
	out_char(out, '\n');
}
