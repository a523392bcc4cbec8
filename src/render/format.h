/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_FORMAT_H
#define VMVIEW_RENDER_FORMAT_H

#include "render/document.h"

struct out;

/* What a format has to do; report.c passes every call on. One instance a report, ended by free. */
struct format_ops {
	void (*begin)(void *format, const char *command, const struct report_host *host);
	void (*end)(void *format, bool complete, const struct missing *missing);
	void (*object)(void *format, const char *key);
	void (*object_end)(void *format);
	void (*list)(void *format, const char *key);
	void (*list_end)(void *format);
	void (*fact)(void *format, const struct column *column, const struct value *value);
	void (*facts)(void *format, const struct selection *selection, const void *row);
	void (*missing)(void *format, const struct missing *missing);
	void (*table)(void *format, const struct table *table);
	void (*row)(void *format, const void *row);
	void (*table_end)(void *format);
	void (*free)(void *format);
};

/* Implementations may leave out what they do not take: NULL members are skipped. */
extern const struct format_ops json_format, table_format, csv_format, html_format,
	openmetrics_format;

void *json_format_new(struct out *out, const struct report_options *options);
void *table_format_new(struct out *out, const struct report_options *options);
void *csv_format_new(struct out *out, const struct report_options *options);
void *html_format_new(struct out *out, const struct report_options *options);
void *openmetrics_format_new(struct out *out, const struct report_options *options);

/*
 * One value as text for people or CSV, without padding; returns its width in columns. raw: plain
 * numbers whatever the units (CSV). Absent is "-" for people and nothing in CSV.
 */
size_t format_cell(struct out *out, const struct report_options *options,
		   const struct column *column, const struct value *value);

#endif
