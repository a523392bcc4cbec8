/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "render/format.h"

struct report {
	const struct format_ops *ops;
	void *format;
	struct out *out;
	struct out prose; /* lines that wait: none is wider than the terminal */
	struct report_options options;
};

static const struct {
	const struct format_ops *ops;
	void *(*make)(struct out *out, const struct report_options *options);
} formats[] = {
	[REPORT_TABLE] = { &table_format, table_format_new },
	[REPORT_JSON] = { &json_format, json_format_new },
	[REPORT_CSV] = { &csv_format, csv_format_new },
	[REPORT_HTML] = { &html_format, html_format_new },
	[REPORT_OPENMETRICS] = { &openmetrics_format, openmetrics_format_new },
};

struct report *report_new(struct out *out, const struct report_options *options)
{
	struct report *report = mem_zalloc(sizeof(*report));

	report->options = *options;
	report->out = out;
	out_init_memory(&report->prose);
	report->ops = formats[options->format].ops;
	report->format = formats[options->format].make(out, &report->options);
	return report;
}

/* A line that is too wide goes on in the next, at a blank, two columns further in. */
static void put_wrapped(struct report *report, struct bytes line)
{
	const size_t most = report->options.width;
	struct out *out = report->out;
	size_t indent = 0, column = 0;

	while (indent < line.len && line.data[indent] == ' ')
		indent++;
	indent = indent + 2 < most / 2 ? indent + 2 : 2;
	for (size_t at = 0; at < line.len;) {
		size_t end = at + 1;
		struct bytes word;

		while (end < line.len && line.data[end] != ' ')
			end++;
		word = (struct bytes){ line.data + at, end - at };
		at = end;
		if (column > indent && column + encode_text_width(word) > most) {
			out_char(out, '\n');
			out_pad(out, ' ', indent);
			column = indent;
			word.data++;
			word.len--;
		}
		out_mem(out, word.data, word.len);
		column += encode_text_width(word);
	}
}

/* Write the lines that wait; on a terminal they fit it. (What has colours is a picture that does.) */
static void put_prose(struct report *report)
{
	struct bytes rest = { report->prose.buf, report->prose.len };

	while (rest.len) {
		const char *newline = memchr(rest.data, '\n', rest.len);
		struct bytes line = { rest.data,
				      newline ? (size_t)(newline - rest.data) : rest.len };

		if (report->options.width && line.len > report->options.width &&
		    !memchr(line.data, '\033', line.len) &&
		    encode_text_width(line) > report->options.width)
			put_wrapped(report, line);
		else
			out_mem(report->out, line.data, line.len);
		if (newline)
			out_char(report->out, '\n');
		rest.data += line.len + (newline != NULL);
		rest.len -= line.len + (newline != NULL);
	}
	report->prose.len = 0;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	put_prose(report);
	out_fini(&report->prose);
	report->ops->free(report->format);
	free(report);
}

const struct report_options *report_options(const struct report *report)
{
	return &report->options;
}

void report_begin(struct report *report, const char *command, const struct report_host *host)
{
	if (report->ops->begin)
		report->ops->begin(report->format, command, host);
}

void report_end(struct report *report, bool complete, const struct missing *missing)
{
	put_prose(report);
	if (report->ops->end)
		report->ops->end(report->format, complete, missing);
}

void report_object(struct report *report, const char *key)
{
	if (report->ops->object)
		report->ops->object(report->format, key);
}

void report_object_end(struct report *report)
{
	if (report->ops->object_end)
		report->ops->object_end(report->format);
}

void report_list(struct report *report, const char *key)
{
	if (report->ops->list)
		report->ops->list(report->format, key);
}

void report_list_end(struct report *report)
{
	if (report->ops->list_end)
		report->ops->list_end(report->format);
}

void report_fact_codes(struct report *report, const char *key, enum value_type type,
		       struct value value, const struct code_name *codes)
{
	struct column column = { .name = key, .type = type, .codes = codes };

	if (report->ops->fact)
		report->ops->fact(report->format, &column, &value);
}

void report_fact(struct report *report, const char *key, enum value_type type, struct value value)
{
	report_fact_codes(report, key, type, value, NULL);
}

void report_facts(struct report *report, const struct selection *selection, const void *row)
{
	if (report->ops->facts)
		report->ops->facts(report->format, selection, row);
}

void report_missing(struct report *report, const struct missing *missing)
{
	if (report->ops->missing)
		report->ops->missing(report->format, missing);
}

void report_table(struct report *report, const struct table *table)
{
	put_prose(report);
	report->ops->table(report->format, table);
}

void report_row(struct report *report, const void *row)
{
	report->ops->row(report->format, row);
}

void report_table_end(struct report *report)
{
	report->ops->table_end(report->format);
}

struct out *report_prose(struct report *report)
{
	return report->options.format == REPORT_TABLE ? &report->prose : NULL;
}

void report_flush(struct report *report)
{
	put_prose(report);
	out_flush(report->out);
}

void report_heading(struct report *report, struct out *text)
{
	const struct bytes line = { text->buf, text->len };
	struct out *out = report_prose(report);
	size_t width = report->options.width;

	if (out && width)
		encode_text_cut(out, line, width);
	else if (out)
		out_mem(out, line.data, line.len);
	if (out)
		out_char(out, '\n');
	out_fini(text);
}

void report_size(const struct report *report, struct out *out, uint64_t bytes)
{
	char text[NUM_MAX];

	switch (report->options.units) {
	case UNITS_HUMAN:
		out_mem(out, text, num_human(text, bytes));
		break;
	case UNITS_PAGES:
		out_mem(out, text, num_pages(text, bytes, report->options.page_size));
		break;
	case UNITS_BYTES:
		out_u64(out, bytes);
		break;
	}
}

void report_wrap(struct report *report, struct out *text, size_t indent)
{
	enum { WIDTH = 80, WIDTH_LEAST = 40 };
	size_t most = report_options(report)->width, column = 0;
	const char *at = text->buf, *end = text->buf + text->len;
	struct out *out = report_prose(report);

	most = !most ? WIDTH : most < WIDTH_LEAST ? WIDTH_LEAST : most;
	while (out && at < end) {
		const char *blank = memchr(at + 1, ' ', (size_t)(end - at - 1));
		struct bytes word = { at, (size_t)((blank ? blank : end) - at) };

		if (column > indent && column + word.len > most) {
			out_char(out, '\n');
			out_pad(out, ' ', indent);
			column = indent;
			word.data++;
			word.len--;
		}
		out_mem(out, word.data, word.len);
		column += word.len;
		at = blank ? blank : end;
	}
	if (out)
		out_char(out, '\n');
	out_fini(text);
}
