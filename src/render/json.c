/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "config.h"
#include "render/format.h"
#include "render/json_row.h"
#include "render/json_value.h"

enum { DEPTH_MAX = 16, KEYS_MAX = 128 };

/* An object or list that is open. */
struct level {
	bool list;
	bool empty;
	bool shows_missing; /* also where nothing is missing */
	struct missing missing;
	size_t key_count;
	const char *keys[KEYS_MAX]; /* that were written */
};

struct json_format {
	struct out *out;
	const struct table *table;
	struct json_row *rows[TABLE_LIKES];
	unsigned depth;
	struct level levels[DEPTH_MAX];
};

void *json_format_new(struct out *out, const struct report_options *options)
{
	struct json_format *json = mem_zalloc(sizeof(*json));

	(void)options;
	json->out = out;
	for (unsigned i = 0; i < TABLE_LIKES; i++)
		json->rows[i] = json_row_new();
	return json;
}

static void json_free(void *format)
{
	struct json_format *json = format;

	for (unsigned i = 0; i < TABLE_LIKES; i++)
		json_row_free(json->rows[i]);
	free(json);
}

/* A key of our own: no character that needs an escape. */
static void key_text(struct json_format *json, const char *key)
{
	out_char(json->out, '"');
	out_str(json->out, key);
	out_mem(json->out, "\":", 2);
}

static void note_key(struct level *level, const char *key)
{
	if (level->key_count < KEYS_MAX)
		level->keys[level->key_count++] = key;
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
	if (!key)
		return;
	key_text(json, key);
	note_key(level, key);
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
	level->key_count = 0;
	out_char(json->out, list ? '[' : '{');
}

static bool was_written(const struct level *level, const char *key)
{
	for (size_t i = 0; i < level->key_count; i++)
		if (strcmp(level->keys[i], key) == 0)
			return true;
	return level->key_count == KEYS_MAX;
}

/* What is missing is null: each key that is told to be is one of the object. */
static void write_nulls(struct json_format *json)
{
	struct level *level = &json->levels[json->depth];

	for (size_t i = 0; i < level->missing.count; i++) {
		const char *key = level->missing.items[i].key;

		/* "swap.type" is in an object of its own */
		if (strchr(key, '.') || was_written(level, key))
			continue;
		next(json, key);
		out_mem(json->out, "null", 4);
	}
}

static void pop(struct json_format *json)
{
	struct level *level = &json->levels[json->depth];

	if (!level->list && (level->missing.count || level->shows_missing)) {
		write_nulls(json);
		next(json, "missing");
		json_missing_value(json->out, &level->missing);
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
		missing_add(&json->levels[json->depth].missing, column->name,
			    json_reason(value->reason));
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

static void json_table(void *format, const struct table *table)
{
	struct json_format *json = format;

	json->table = table;
	if (table->text_only)
		return;
	push(json, table->key, true);
	for (unsigned i = 0; i < (table->like ? TABLE_LIKES : 1); i++)
		json_row_prepare(json->rows[i], table->selection, true);
}

static void json_row(void *format, const void *data)
{
	struct json_format *json = format;
	const struct table *table = json->table;
	struct out *out = json->out;
	struct bytes text;

	if (table->text_only)
		return;
	text = json_row_write(json->rows[table->like ? table->like(data) : 0], data);
	next(json, NULL);
	out_char(out, '{');
	if (text.len)
		out_mem(out, text.data + 1, text.len - 1);
	out_char(out, '}');
}

static void json_facts(void *format, const struct selection *selection, const void *data)
{
	struct json_format *json = format;
	struct level *level = &json->levels[json->depth];
	struct bytes text;

	json_row_prepare(json->rows[0], selection, false);
	text = json_row_write(json->rows[0], data);
	if (text.len)
		out_mem(json->out, text.data + level->empty, text.len - level->empty);
	level->empty &= !text.len;
	for (size_t i = 0; i < selection->count; i++)
		note_key(level, selection->columns[i]->name);
	add_missing(level, json_row_missing(json->rows[0]));
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
