/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/out.h"
#include "render/format.h"
#include "render/viewer_text.h"

/*
 * A page with the JSON document in it. Behind the document stands what JSON does not say: heading, type and
 * help of the columns, by the path of keys that leads to them.
 */
enum { DEPTH_MAX = 16 };

struct described {
	const char *path;
	struct described *next;
};

struct html_format {
	void *json;
	struct out *out;
	struct out columns; /* {"processes.mappings":{"rss":["bytes","RSS","resident .."],..},.. */
	struct arena arena;
	struct described *described; /* paths that columns has */
	unsigned depth;
	const char *keys[DEPTH_MAX]; /* of what is open; NULL: an element of a list */
};

void *html_format_new(struct out *out, const struct report_options *options)
{
	struct html_format *html = mem_zalloc(sizeof(*html));

	html->out = out;
	html->json = json_format_new(out, options);
	out_init_memory(&html->columns);
	arena_init(&html->arena);
	return html;
}

static void html_free(void *format)
{
	struct html_format *html = format;

	json_format.free(html->json);
	out_fini(&html->columns);
	arena_fini(&html->arena);
	free(html);
}

static const char *path_of(struct html_format *html, const char *key)
{
	struct out path;

	out_init_memory(&path);
	for (unsigned i = 0; i <= html->depth; i++) {
		const char *part = i < html->depth ? html->keys[i] : key;

		if (!part)
			continue;
		if (path.len)
			out_char(&path, '.');
		out_str(&path, part);
	}
	return out_take(&path, &html->arena).data;
}

static bool is_described(const struct html_format *html, const char *path)
{
	for (const struct described *one = html->described; one; one = one->next)
		if (strcmp(one->path, path) == 0)
			return true;
	return false;
}

static void put_string(struct out *out, const char *text)
{
	encode_json(out, bytes_of(text));
}

/* The columns of a table, or of the object that is open (key NULL), the first time it is met. */
static void describe(struct html_format *html, const char *key, const struct selection *selection)
{
	const char *path = path_of(html, key);
	struct out *out = &html->columns;
	struct described *described;

	if (is_described(html, path))
		return;
	out_char(out, html->described ? ',' : '{');
	described = arena_alloc(&html->arena, sizeof(*described));
	*described = (struct described){ path, html->described };
	html->described = described;
	out_char(out, '\n');
	put_string(out, path);
	out_str(out, ":{");
	for (size_t i = 0; i < selection->count; i++) {
		const struct column *column = selection->columns[i];

		out_str(out, i ? ",\n" : "\n");
		put_string(out, column->name);
		out_str(out, ":[");
		put_string(out, value_type_name(column->type));
		out_char(out, ',');
		put_string(out, column->heading ? column->heading : "");
		out_char(out, ',');
		put_string(out, column->help ? column->help : "");
		out_char(out, ']');
	}
	out_char(out, '}');
}

static void push(struct html_format *html, const char *key)
{
	assert(html->depth < DEPTH_MAX);
	html->keys[html->depth++] = key;
}

static void html_begin(void *format, const char *command, const struct report_host *host)
{
	struct html_format *html = format;

	out_str(html->out, viewer_head);
	out_no_markup(html->out, true);
	json_format.begin(html->json, command, host);
}

static void html_end(void *format, bool complete, const struct missing *missing)
{
	struct html_format *html = format;
	struct out *out = html->out;

	json_format.end(html->json, complete, missing);
	out_no_markup(out, false);
	out_str(out, "</script>\n<script type=\"application/json\" id=\"vmview-columns\">");
	out_no_markup(out, true);
	out_mem(out, html->columns.buf, html->columns.len);
	out_str(out, html->described ? "}\n" : "{}\n");
	out_no_markup(out, false);
	out_str(out, viewer_tail);
}

static void html_object(void *format, const char *key)
{
	struct html_format *html = format;

	push(html, key);
	json_format.object(html->json, key);
}

static void html_object_end(void *format)
{
	struct html_format *html = format;

	html->depth--;
	json_format.object_end(html->json);
}

static void html_list(void *format, const char *key)
{
	struct html_format *html = format;

	push(html, key);
	json_format.list(html->json, key);
}

static void html_list_end(void *format)
{
	struct html_format *html = format;

	html->depth--;
	json_format.list_end(html->json);
}

static void html_fact(void *format, const struct column *column, const struct value *value)
{
	json_format.fact(((struct html_format *)format)->json, column, value);
}

static void html_facts(void *format, const struct selection *selection, const void *row)
{
	struct html_format *html = format;

	describe(html, NULL, selection);
	json_format.facts(html->json, selection, row);
}

static void html_missing(void *format, const struct missing *missing)
{
	json_format.missing(((struct html_format *)format)->json, missing);
}

static void html_table(void *format, const struct table *table)
{
	struct html_format *html = format;

	if (!table->text_only)
		describe(html, table->key, table->selection);
	json_format.table(html->json, table);
}

static void html_row(void *format, const void *row)
{
	json_format.row(((struct html_format *)format)->json, row);
}

static void html_table_end(void *format)
{
	json_format.table_end(((struct html_format *)format)->json);
}

const struct format_ops html_format = {
	.begin = html_begin,
	.end = html_end,
	.object = html_object,
	.object_end = html_object_end,
	.list = html_list,
	.list_end = html_list_end,
	.fact = html_fact,
	.facts = html_facts,
	.missing = html_missing,
	.table = html_table,
	.row = html_row,
	.table_end = html_table_end,
	.free = html_free,
};
