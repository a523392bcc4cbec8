/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/json_row.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/out.h"
#include "column/column.h"
#include "model/missing.h"
#include "render/json_value.h"

enum { KEY_MAX = 80, SOURCE_MAX = 120 };

/* What tells that a value has the text of the one before; of words that are literals, where they are. */
enum source { SOURCE_BITS, SOURCE_WORD, SOURCE_TEXT };

/* A column, and its member in the text of the row. */
struct cell {
	const struct column *column;
	enum source source;
	bool quick; /* a value whose text has a bound */
	uint8_t key_len;
	size_t group_count; /* cells of the nested object that begins here; 0: none does */
	size_t len; /* in the text; of a nested object all of it, in its first cell */
	const char *reason; /* of the value in the text, which is u where it is made of bits */
	uint64_t u;
	size_t copied; /* bytes of copy; more than there is room: the text is not compared */
	char key[KEY_MAX]; /* `,"name":` */
	char copy[SOURCE_MAX + 1]; /* of a text, word or reason */
};

/*
 * Cells side by side. Where they are made of a few bytes of the row, these are kept (at seen): where
 * they come again, none of the values is asked for.
 */
struct span {
	struct cell *cells, *behind;
	size_t len; /* in the text */
	size_t from, to;
	char *seen;
};

struct json_row {
	struct cell *cells;
	struct span *spans, *spans_end;
	char *seen;
	size_t count;
	struct out text, scratch;
	bool with_missing;
	bool written; /* the text is that of a row */
	size_t missing_len; /* in the text, at its end */
	bool reasons_changed;
	struct missing missing;
};

struct json_row *json_row_new(void)
{
	struct json_row *row = mem_zalloc(sizeof(*row));

	out_init_memory(&row->text);
	out_init_memory(&row->scratch);
	return row;
}

void json_row_free(struct json_row *row)
{
	if (!row)
		return;
	out_fini(&row->text);
	out_fini(&row->scratch);
	free(row->cells);
	free(row->spans);
	free(row->seen);
	free(row);
}

static size_t group_len(const struct column *column)
{
	const char *dot = strchr(column->name, '.');

	return dot ? (size_t)(dot - column->name) : 0;
}

static bool same_group(const struct column *a, const struct column *b)
{
	size_t len = group_len(a);

	return len && len == group_len(b) && memcmp(a->name, b->name, len) == 0;
}

static enum source source_of(const struct column *column)
{
	switch (column->type) {
	case VALUE_WORD:
		return column->literal ? SOURCE_BITS : SOURCE_WORD;
	case VALUE_TEXT:
	case VALUE_CODES:
	case VALUE_MEANINGS:
	case VALUE_NUMBERS:
	case VALUE_ARGS:
		return SOURCE_TEXT;
	default:
		return SOURCE_BITS;
	}
}

static void prepare_cell(struct cell *cell, const struct column *column)
{
	static const char never[] = "no row was written yet";
	size_t group = group_len(column), len;
	const char *name = column->name + (group ? group + 1 : 0);

	*cell = (struct cell){
		.column = column,
		.source = source_of(column),
		.quick = json_is_quick(column->type),
		.key = ",\"",
		.reason = never,
	};
	len = strnlen(name, KEY_MAX - 4);
	memcpy(cell->key + 2, name, len);
	memcpy(cell->key + 2 + len, "\":", 2);
	cell->key_len = (uint8_t)(len + 4);
}

/* Place column i of the selection, and those behind it that belong into the same object. */
static void prepare_group(struct json_row *row, const struct selection *selection, size_t i)
{
	const struct column *column = selection->columns[i];
	size_t first = row->count;

	prepare_cell(&row->cells[row->count++], column);
	if (!group_len(column))
		return;
	for (size_t k = i + 1; k < selection->count; k++)
		if (same_group(column, selection->columns[k]))
			prepare_cell(&row->cells[row->count++], selection->columns[k]);
	row->cells[first].group_count = row->count - first;
}

/* Whether the bytes of a column are near those of the span, or both have none. */
static bool takes(const struct span *span, const struct column *column)
{
	const size_t gap = 64;

	if (!column->to || !span->to)
		return !column->to && !span->to;
	return column->from <= span->to + gap && span->from <= column->to + gap;
}

static void prepare_spans(struct json_row *row)
{
	struct span *span = row->spans - 1;
	size_t size = 0;

	for (struct cell *cell = row->cells; cell < row->cells + row->count; cell++) {
		const struct column *column = cell->column;

		if (span < row->spans || !takes(span, column))
			*++span = (struct span){ cell, .from = column->from, .to = column->to };
		span->behind = cell + 1;
		span->from = column->from < span->from ? column->from : span->from;
		span->to = column->to > span->to ? column->to : span->to;
	}
	row->spans_end = span + 1;
	for (span = row->spans; span < row->spans_end; span++)
		size += span->to - span->from;
	row->seen = mem_grow(row->seen, size, 1);
	while (span-- > row->spans) {
		size -= span->to - span->from;
		span->seen = row->seen + size;
	}
}

/* In the order of the selection, but for the keys of an object, which come together. */
void json_row_prepare(struct json_row *row, const struct selection *selection, bool with_missing)
{
	row->cells = mem_grow(row->cells, selection->count, sizeof(row->cells[0]));
	row->spans = mem_grow(row->spans, selection->count, sizeof(row->spans[0]));
	row->count = row->text.len = row->missing_len = 0;
	row->missing.count = row->missing.more = 0;
	row->with_missing = with_missing;
	row->written = false;
	for (size_t i = 0; i < selection->count; i++) {
		size_t before = group_len(selection->columns[i]) ? 0 : i;

		while (before < i && !same_group(selection->columns[i], selection->columns[before]))
			before++;
		if (before == i)
			prepare_group(row, selection, i);
	}
	prepare_spans(row);
}

/* What is pointed to may have changed, so that it is compared too. */
static bool is_same_text(const struct cell *cell, const struct value *value)
{
	if (cell->copied > SOURCE_MAX)
		return false;
	if (value->reason || cell->source == SOURCE_WORD)
		return strcmp(cell->copy, value->reason ? value->reason : value->word) == 0;
	return value->text.len == cell->copied &&
	       (!cell->copied || memcmp(cell->copy, value->text.data, cell->copied) == 0);
}

static inline bool is_same(const struct cell *cell, const struct value *value)
{
	if (value->reason != cell->reason)
		return false;
	if (value->reason && !*value->reason)
		return true;
	if (!value->reason && cell->source == SOURCE_BITS)
		return value->u == cell->u;
	return is_same_text(cell, value);
}

static void remember_text(struct cell *cell, struct bytes text)
{
	cell->copied = text.len;
	if (text.len > SOURCE_MAX)
		return;
	if (text.len)
		memcpy(cell->copy, text.data, text.len);
	cell->copy[text.len] = '\0';
}

static inline void remember(struct json_row *row, struct cell *cell, const struct value *value)
{
	row->reasons_changed |= value->reason || cell->reason;
	cell->reason = value->reason;
	cell->u = value->u;
	if (value->reason)
		remember_text(cell, bytes_of(value->reason));
	else if (cell->source == SOURCE_WORD)
		remember_text(cell, bytes_of(value->word));
	else if (cell->source == SOURCE_TEXT)
		remember_text(cell, value->text);
}

/* Room for len bytes where the text has old from at on. */
static char *splice(struct out *text, size_t at, size_t old, size_t len)
{
	out_need(text, len);
	memmove(text->buf + at + len, text->buf + at + old, text->len - at - old);
	text->len += len - old;
	return text->buf + at;
}

static inline void place(struct json_row *row, struct cell *cell, size_t at, struct bytes value)
{
	size_t len = cell->key_len + value.len;

	if (cell->len != len) {
		char *to = splice(&row->text, at, cell->len, len);

		memcpy(to, cell->key, cell->key_len);
		cell->len = len;
	}
	memcpy(row->text.buf + at + cell->key_len, value.data, value.len);
}

/* Whether the member is left out. */
static bool is_left_out(const struct cell *cell, const struct value *value)
{
	return cell->column->sparse && value->reason && !*value->reason;
}

static void write_value(struct out *out, const struct cell *cell, const struct value *value)
{
	if (value->reason)
		out_mem(out, "null", 4);
	else
		json_value(out, cell->column, value);
}

static void write_cell(struct json_row *row, struct cell *cell, size_t at,
		       const struct value *value)
{
	char text[JSON_QUICK], *end = NULL;

	if (!value->reason && cell->quick)
		end = json_quick(text, cell->column->type, value);
	if (end) {
		place(row, cell, at, (struct bytes){ text, (size_t)(end - text) });
		return;
	}
	if (is_left_out(cell, value)) {
		splice(&row->text, at, cell->len, 0);
		cell->len = 0;
		return;
	}
	row->scratch.len = 0;
	write_value(&row->scratch, cell, value);
	place(row, cell, at, (struct bytes){ row->scratch.buf, row->scratch.len });
}

static inline void update_value(struct json_row *row, struct cell *cell, size_t at,
				const struct value *value)
{
	if (is_same(cell, value))
		return;
	remember(row, cell, value);
	write_cell(row, cell, at, value);
}

/* Left out where no member stands there in any case, and none applies to the row. */
static void write_members(struct out *out, const struct cell *cells, size_t count, const void *data)
{
	bool shown = false, first = true;

	for (size_t i = 0; i < count; i++)
		shown |= !cells[i].reason || *cells[i].reason || !cells[i].column->sparse;
	if (!shown)
		return;
	out_mem(out, ",\"", 2);
	out_mem(out, cells->column->name, group_len(cells->column));
	out_str(out, "\":{");
	for (size_t i = 0; i < count; i++) {
		const struct column *column = cells[i].column;
		struct value value = column->get(data, column);

		if (is_left_out(&cells[i], &value))
			continue;
		out_mem(out, cells[i].key + first, (size_t)(cells[i].key_len - first));
		write_value(out, &cells[i], &value);
		first = false;
	}
	out_char(out, '}');
}

/* A nested object is written anew where one of its members changed. */
static void update_group(struct json_row *row, struct cell *cells, size_t at, const void *data)
{
	const size_t count = cells->group_count;
	struct out *scratch = &row->scratch;
	bool changed = false;
	char *to;

	for (size_t i = 0; i < count; i++) {
		const struct column *column = cells[i].column;
		struct value value = column->get(data, column);

		if (is_same(&cells[i], &value))
			continue;
		remember(row, &cells[i], &value);
		changed = true;
	}
	if (!changed)
		return;
	scratch->len = 0;
	write_members(scratch, cells, count, data);
	to = splice(&row->text, at, cells->len, scratch->len);
	memcpy(to, scratch->buf, scratch->len);
	cells->len = scratch->len;
}

/*
 * The most frequent cell. (The parts of a value are not copied at once, nor is it made of them before
 * it is needed: that would wait until each of them is stored.)
 */
static inline void update_number(struct json_row *row, struct cell *cell, size_t at,
				 const void *data)
{
	const struct number number = cell->column->number(data, cell->column);
	const bool known = !number.reason && !cell->reason;

	if (known && number.u == cell->u)
		return;
	if (known && cell->column->type == VALUE_ADDR &&
	    json_rewrite_address(row->text.buf + at + cell->key_len, cell->len - cell->key_len,
				 number.u))
		cell->u = number.u;
	else
		update_value(row, cell, at,
			     &(struct value){ .reason = number.reason, .u = number.u });
}

/* Cells whose text begins at at. Returns where it ends. */
static size_t update_cells(struct json_row *row, struct cell *cell, const struct cell *behind,
			   size_t at, const void *data)
{
	while (cell < behind) {
		if (cell->group_count) {
			update_group(row, cell, at, data);
			at += cell->len;
			cell += cell->group_count;
			continue;
		}
		if (cell->column->number) {
			update_number(row, cell, at, data);
		} else {
			struct value value = cell->column->get(data, cell->column);

			update_value(row, cell, at, &value);
		}
		at += cell++->len;
	}
	return at;
}

static void update_missing(struct json_row *row)
{
	struct out *text = &row->text;
	size_t start;

	row->reasons_changed = false;
	row->missing.count = row->missing.more = 0;
	for (size_t i = 0; i < row->count; i++) {
		const struct cell *cell = &row->cells[i];

		if (cell->reason && (*cell->reason || !cell->column->sparse))
			missing_add_new(&row->missing, cell->column->name,
					json_reason(cell->reason));
	}
	text->len -= row->missing_len;
	start = text->len;
	if (row->with_missing && row->missing.count) {
		out_str(text, ",\"missing\":");
		json_missing_value(text, &row->missing);
	}
	row->missing_len = text->len - start;
}

struct bytes json_row_write(struct json_row *row, const void *data)
{
	size_t at = 0;

	for (struct span *span = row->spans; span < row->spans_end; span++) {
		const char *bytes = (const char *)data + span->from;
		size_t start = at, size = span->to - span->from;

		if (size && row->written && memcmp(span->seen, bytes, size) == 0) {
			at += span->len;
			continue;
		}
		if (size)
			memcpy(span->seen, bytes, size);
		at = update_cells(row, span->cells, span->behind, at, data);
		span->len = at - start;
	}
	row->written = true;
	if (row->reasons_changed)
		update_missing(row);
	return (struct bytes){ row->text.buf, row->text.len };
}

const struct missing *json_row_missing(const struct json_row *row)
{
	return &row->missing;
}
