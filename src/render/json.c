/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "config.h"
#include "render/format.h"
#include "render/json_value.h"

enum { DEPTH_MAX = 16, PREFIX_MAX = 80, PREFIX_COPIED = 32, STEADY_ROOM = 2048 };
/* a short key and the longest value that is kept */
enum { KEPT = 64 };
enum { KEPT_TEXTS = 32, SOURCE_MAX = 120, TEXT_MAX = 200 };

/* An object or list that is open. */
struct level {
	bool list;
	bool empty;
	bool shows_missing; /* also where nothing is missing */
	struct missing missing;
};

/* A column as it is written: `,"name":` made once, not once a row. */
struct json_column {
	const struct column *column;
	uint8_t len;
	bool number; /* and this value is a plain number */
	bool quick; /* a value whose text has a bound, and a short key */
	bool keeps; /* quick, and two values of the same bits have the same text */
	bool texts; /* a text, or codes that are written as they are */
	bool opens, closes; /* the first and the last key of a nested object */
	uint8_t kept_len; /* 0: not kept */
	uint64_t last; /* the value of the row before, where keeps */
	char kept[KEPT]; /* its text, with the key, once it came twice */
	char prefix[PREFIX_MAX];
};

/* A text or list of codes and how it is written: mappings have few different ones. */
struct kept_text {
	const struct json_column *made; /* NULL: nothing is kept */
	uint8_t source_len, len;
	char source[SOURCE_MAX];
	char text[TEXT_MAX]; /* with the key */
};

struct json_format {
	struct out *out;
	const struct table *table;
	struct json_column *columns;
	size_t count;
	size_t steady_first, steady_end;	/* columns that a row may have in common with the last */
	size_t steady_len;			/* of their text in that row; 0: not kept */
	char steady[STEADY_ROOM];
	struct kept_text texts[KEPT_TEXTS];
	unsigned depth;
	struct level levels[DEPTH_MAX];
};

void *json_format_new(struct out *out, const struct report_options *options)
{
	struct json_format *json = mem_zalloc(sizeof(*json));

	(void)options;
	json->out = out;
	return json;
}

static void json_free(void *format)
{
	struct json_format *json = format;

	free(json->columns);
	free(json);
}

/* A key of our own: no character that needs an escape. */
static void key_text(struct json_format *json, const char *key)
{
	out_char(json->out, '"');
	out_str(json->out, key);
	out_mem(json->out, "\":", 2);
}

/* What goes between two elements, and the element's key. */
static void next(struct json_format *json, const char *key)
{
	struct level *level = &json->levels[json->depth];

	if (!level->empty)
		out_char(json->out, ',');
	if (level->list)
		out_char(json->out, '\n');
	level->empty = false;
	if (key)
		key_text(json, key);
}

static void push(struct json_format *json, const char *key, bool list)
{
	struct level *level;

	if (json->depth)
		next(json, key);
	assert(json->depth + 1 < DEPTH_MAX);
	level = &json->levels[++json->depth];
	level->list = list;
	level->empty = true;
	level->shows_missing = false;
	level->missing.count = level->missing.more = 0;
	out_char(json->out, list ? '[' : '{');
}

static void write_missing(struct out *out, const struct missing *missing)
{
	out_char(out, '{');
	for (size_t i = 0; i < missing->count; i++) {
		if (i)
			out_char(out, ',');
		encode_json(out, bytes_of(missing->items[i].key));
		out_char(out, ':');
		encode_json(out, bytes_of(missing->items[i].reason));
	}
	out_char(out, '}');
}

static void pop(struct json_format *json)
{
	struct level *level = &json->levels[json->depth];

	if (!level->list && (level->missing.count || level->shows_missing)) {
		next(json, "missing");
		write_missing(json->out, &level->missing);
	}
	out_char(json->out, level->list ? ']' : '}');
	json->depth--;
}

static void json_object(void *format, const char *key)
{
	push(format, key, false);
}

static void json_list(void *format, const char *key)
{
	push(format, key, true);
}

static void json_pop(void *format)
{
	pop(format);
}

static void json_fact(void *format, const struct column *column, const struct value *value)
{
	struct json_format *json = format;

	if (column->sparse && value->reason && !*value->reason)
		return;
	next(json, column->name);
	if (value->reason) {
		out_mem(json->out, "null", 4);
		if (*value->reason)
			missing_add(&json->levels[json->depth].missing, column->name,
				    value->reason);
		return;
	}
	json_value(json->out, column, value);
}

static void add_missing(struct level *level, const struct missing *missing)
{
	for (size_t i = 0; i < missing->count; i++)
		missing_add(&level->missing, missing->items[i].key, missing->items[i].reason);
}

static void json_missing(void *format, const struct missing *missing)
{
	struct json_format *json = format;
	struct level *level = &json->levels[json->depth];

	level->shows_missing = true;
	if (missing)
		add_missing(level, missing);
}

static void json_begin(void *format, const char *command, const struct report_host *host)
{
	struct json_format *json = format;

	push(json, NULL, false);
	json_fact(json, &(struct column){ .name = "vmview", .type = VALUE_WORD },
		  &(struct value){ .word = PACKAGE_VERSION });
	json_fact(json, &(struct column){ .name = "schema", .type = VALUE_COUNT },
		  &(struct value){ .u = 1 });
	json_fact(json, &(struct column){ .name = "command", .type = VALUE_WORD },
		  &(struct value){ .word = command });
	json_object(json, "host");
	json_fact(json, &(struct column){ .name = "kernel", .type = VALUE_WORD },
		  &(struct value){ .reason = host->kernel ? NULL : "not recorded",
				   .word = host->kernel });
	json_fact(json, &(struct column){ .name = "page_size", .type = VALUE_BYTES },
		  &(struct value){ .u = host->page_size });
	json_fact(json, &(struct column){ .name = "time", .type = VALUE_WORD },
		  &(struct value){ .reason = host->time ? NULL : "not recorded",
				   .word = host->time });
	json_pop(json);
}

static void json_end(void *format, bool complete, const struct missing *missing)
{
	struct json_format *json = format;

	json_missing(json, missing);
	json_fact(json, &(struct column){ .name = "complete", .type = VALUE_BOOL },
		  &(struct value){ .u = complete });
	pop(json);
	out_char(json->out, '\n');
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

static void prepare_column(struct json_column *made, const struct column *column)
{
	size_t group = group_len(column), len;
	const char *name = column->name + (group ? group + 1 : 0);

	*made = (struct json_column){ .column = column, .prefix = ",\"" };
	len = strnlen(name, PREFIX_MAX - 4);
	memcpy(made->prefix + 2, name, len);
	memcpy(made->prefix + 2 + len, "\":", 2);
	made->len = (uint8_t)(len + 4);
	made->quick = made->len <= PREFIX_COPIED && !group && json_is_quick(column->type);
	made->keeps = made->quick && column->type != VALUE_WORD && column->type != VALUE_TEXT;
	made->texts = !group && (column->type == VALUE_TEXT || column->type == VALUE_CODES);
	made->number = made->quick && (column->type == VALUE_BYTES || column->type == VALUE_COUNT);
}

/* The longest run of steady columns that are plain numbers. */
static void find_steady(struct json_format *json)
{
	size_t start = 0;

	json->steady_first = json->steady_end = json->steady_len = 0;
	for (size_t i = 0; i < json->count; i++) {
		if (!json->columns[i].column->steady || !json->columns[i].number)
			start = i + 1;
		else if (i + 1 - start > json->steady_end - json->steady_first) {
			json->steady_first = start;
			json->steady_end = i + 1;
		}
	}
}

/* Place column i of the selection, and those behind it that belong into the same object. */
static void prepare_group(struct json_format *json, const struct selection *selection, size_t i)
{
	const struct column *column = selection->columns[i];
	size_t first = json->count;

	prepare_column(&json->columns[json->count++], column);
	if (!group_len(column))
		return;
	for (size_t k = i + 1; k < selection->count; k++)
		if (same_group(column, selection->columns[k]))
			prepare_column(&json->columns[json->count++], selection->columns[k]);
	json->columns[first].opens = json->columns[json->count - 1].closes = true;
}

/* In the order of the selection, but for the keys of an object, which come together. */
static void prepare(struct json_format *json, const struct selection *selection)
{
	for (size_t i = 0; i < KEPT_TEXTS; i++)
		json->texts[i].made = NULL;
	json->columns = mem_grow(json->columns, selection->count, sizeof(json->columns[0]));
	json->count = 0;
	for (size_t i = 0; i < selection->count; i++) {
		size_t before = group_len(selection->columns[i]) ? 0 : i;

		while (before < i && !same_group(selection->columns[i], selection->columns[before]))
			before++;
		if (before == i)
			prepare_group(json, selection, i);
	}
}

static void json_table(void *format, const struct table *table)
{
	struct json_format *json = format;

	json->table = table;
	if (table->text_only)
		return;
	push(json, table->key, true);
	prepare(json, table->selection);
	find_steady(json);
}

/* `"name":` with a comma in front, but for the first key of an object. */
static void write_key(struct json_format *json, const struct json_column *made, bool *first)
{
	out_mem(json->out, made->prefix + *first, (size_t)(made->len - *first));
	*first = false;
}

static void write_cell(struct json_format *json, const struct json_column *made,
		       const struct value *value, bool *first, struct missing *missing)
{
	if (!value->reason) {
		write_key(json, made, first);
		json_value(json->out, made->column, value);
		return;
	}
	if (made->column->sparse && !*value->reason)
		return;
	write_key(json, made, first);
	out_mem(json->out, "null", 4);
	if (*value->reason)
		missing_add_new(missing, made->column->name, value->reason);
}

/* Whether a value of the object says something, and whether its key stands there in any case. */
static void look_at_group(const struct json_column *made, const void *row, bool *any, bool *shown)
{
	*any = *shown = false;
	for (;; made++) {
		struct value value = made->column->get(row, made->column);

		*any |= !value.reason || *value.reason;
		*shown |= !made->column->sparse;
		if (*any || made->closes)
			return;
	}
}

/* Columns from i on are one nested object; null where none of them applies to the row. */
static size_t write_group(struct json_format *json, size_t i, const void *row, bool *first,
			  struct missing *missing)
{
	const struct column *column = json->columns[i].column;
	bool inner = true, any, shown;
	size_t end = i;

	while (!json->columns[end].closes)
		end++;
	look_at_group(&json->columns[i], row, &any, &shown);
	if (!any && !shown)
		return end;
	out_str(json->out, *first ? "\"" : ",\"");
	*first = false;
	out_mem(json->out, column->name, group_len(column));
	out_str(json->out, any ? "\":{" : "\":null");
	for (size_t k = i; any && k <= end; k++) {
		const struct json_column *made = &json->columns[k];
		struct value value = made->column->get(row, made->column);

		write_cell(json, made, &value, &inner, missing);
	}
	if (any)
		out_char(json->out, '}');
	return end;
}

/*
 * The most frequent cell, `,"key":` and a number, address or word: the key is copied at a fixed length,
 * which is one or two instructions, and what is too much of it overwritten. A value that comes again
 * and again is copied whole.
 */
static inline bool write_quick(struct out *out, struct json_column *made, const struct value *value,
			       bool *first)
{
	bool again = made->keeps && value->u == made->last && !*first;
	char *at, *end;

	if (out->cap - out->len < PREFIX_COPIED + JSON_QUICK)
		out_need(out, PREFIX_COPIED + JSON_QUICK);
	at = out->buf + out->len;
	if (again && made->kept_len) {
		memcpy(at, made->kept, KEPT);
		out->len += made->kept_len;
		return true;
	}
	memcpy(at, made->prefix + *first, PREFIX_COPIED);
	end = json_quick(at + made->len - *first, made->column->type, value);
	if (!end)
		return false;
	if (again)
		memcpy(made->kept, at, KEPT);
	made->kept_len = again ? (uint8_t)(end - at) : 0;
	made->last = value->u;
	out->len = (size_t)(end - out->buf);
	*first = false;
	return true;
}

static struct kept_text *find_text(struct json_format *json, const struct json_column *made,
				   struct bytes source)
{
	uint64_t head = 0, tail = 0, hash;

	/* names differ at their end, codes near their beginning */
	if (source.len >= 8) {
		memcpy(&head, source.data, 8);
		memcpy(&tail, source.data + source.len - 8, 8);
	}
	hash = (head ^ tail * 0x9e3779b97f4a7c15u ^ source.len ^
		(uint64_t)(made - json->columns) << 32) *
	       0xc2b2ae3d27d4eb4fu;
	return &json->texts[(hash >> 32) % KEPT_TEXTS];
}

/* A text that was written before is copied with its key, else written and kept. */
static void write_text(struct json_format *json, const struct json_column *made,
		       struct bytes source)
{
	struct kept_text *kept = find_text(json, made, source);
	const struct value value = value_text(source);
	struct out *out = json->out;
	bool first = false;
	size_t start;

	if (kept->made == made && kept->source_len == source.len &&
	    memcmp(kept->source, source.data, source.len) == 0) {
		out_mem(out, kept->text, kept->len);
		return;
	}
	kept->made = NULL;
	out_need(out, TEXT_MAX);
	start = out->len;
	write_key(json, made, &first);
	json_value(out, made->column, &value);
	if (source.len > SOURCE_MAX || out->len <= start || out->len - start > TEXT_MAX)
		return;
	kept->made = made;
	kept->source_len = (uint8_t)source.len;
	kept->len = (uint8_t)(out->len - start);
	memcpy(kept->source, source.data, source.len);
	memcpy(kept->text, out->buf + start, kept->len);
}

static inline __attribute__((always_inline)) void write_column(struct json_format *json,
							       struct json_column *made,
							       const void *row, bool *first,
							       struct missing *missing)
{
	struct value value = made->column->get(row, made->column);

	if (!value.reason && made->texts && value.text.len && !*first) {
		write_text(json, made, value.text);
		return;
	}
	if (!value.reason ? made->quick && write_quick(json->out, made, &value, first) :
			    made->column->sparse && !*value.reason)
		return;
	write_cell(json, made, &value, first, missing);
}

/*
 * The steady columns: copied from the row before where they are the same (JSON of 60,000 alike
 * mappings: 8 % less of the run's CPU), else written, and kept where all of them are known.
 */
static void write_steady(struct json_format *json, const void *row, bool *first,
			 struct missing *missing)
{
	struct out *out = json->out;
	bool repeats = json->table->repeats && json->table->repeats(row);
	size_t before = missing->count, start;

	if (repeats && json->steady_len && !*first) {
		out_mem(out, json->steady, json->steady_len);
		return;
	}
	json->steady_len = 0;
	out_need(out, STEADY_ROOM);
	start = *first ? SIZE_MAX : out->len;
	for (size_t i = json->steady_first; i < json->steady_end; i++)
		write_column(json, &json->columns[i], row, first, missing);
	if (out->len <= start || out->len - start > STEADY_ROOM || missing->count != before)
		return;
	json->steady_len = out->len - start;
	memcpy(json->steady, out->buf + start, json->steady_len);
}

/* The columns of a row, as keys of the object that is open. first: none of its keys is there yet. */
static void write_columns(struct json_format *json, const void *row, bool *first,
			  struct missing *missing)
{
	for (size_t i = 0; i < json->count; i++) {
		struct json_column *made = &json->columns[i];

		if (i == json->steady_first && json->steady_end > i) {
			write_steady(json, row, first, missing);
			i = json->steady_end - 1;
		} else if (made->opens) {
			i = write_group(json, i, row, first, missing);
		} else {
			write_column(json, made, row, first, missing);
		}
	}
}

static void json_row(void *format, const void *row)
{
	struct json_format *json = format;
	struct out *out = json->out;
	struct missing missing;
	bool first = true;

	if (json->table->text_only)
		return;
	missing.count = missing.more = 0;
	next(json, NULL);
	out_char(out, '{');
	write_columns(json, row, &first, &missing);
	if (missing.count) {
		out_str(out, first ? "\"missing\":" : ",\"missing\":");
		write_missing(out, &missing);
	}
	out_char(out, '}');
}

static void json_facts(void *format, const struct selection *selection, const void *row)
{
	struct json_format *json = format;
	struct level *level = &json->levels[json->depth];
	struct missing missing;

	prepare(json, selection);
	json->steady_first = json->steady_end = 0;
	missing.count = missing.more = 0;
	write_columns(json, row, &level->empty, &missing);
	add_missing(level, &missing);
}

static void json_table_end(void *format)
{
	struct json_format *json = format;

	if (!json->table->text_only)
		pop(json);
}

const struct format_ops json_format = {
	.begin = json_begin,
	.end = json_end,
	.object = json_object,
	.object_end = json_pop,
	.list = json_list,
	.list_end = json_pop,
	.fact = json_fact,
	.facts = json_facts,
	.missing = json_missing,
	.table = json_table,
	.row = json_row,
	.table_end = json_table_end,
	.free = json_free,
};
