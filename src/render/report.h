/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_REPORT_H
#define VMVIEW_RENDER_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "render/document.h"

struct out;
struct report;

/*
 * A document, written as it is made: nothing of it is kept but what one table needs to find the
 * widths of its columns (the first REPORT_MEASURED rows). A command says what there is, once; how it
 * looks is the format's business:
 *
 *	begin
 *	  list "processes"
 *	    object
 *	      fact pid, fact comm ..		JSON keys; not shown in a table
 *	      table "mappings": row, row ..	JSON list of objects; a table; CSV lines
 *	      object "total": fact ..
 *	    end
 *	  end
 *	end
 *
 * JSON takes everything. The table format takes tables, and prose that the command writes itself
 * where report_prose() gives it an output. CSV takes the tables with csv set (a command has one).
 * HTML is the JSON document in a page that shows it. OpenMetrics takes those tables and objects of the document that metric_sources.h lists.
 */

struct report *report_new(struct out *out, const struct report_options *options);
void report_free(struct report *report);

const struct report_options *report_options(const struct report *report);

void report_begin(struct report *report, const char *command, const struct report_host *host);

/* complete false: something asked for is not there. missing may be NULL. */
void report_end(struct report *report, bool complete, const struct missing *missing);

/* key NULL: an element of a list. */
void report_object(struct report *report, const char *key);
void report_object_end(struct report *report);
void report_list(struct report *report, const char *key);
void report_list_end(struct report *report);

/*
 * A fact of the current object. One that is absent with a reason is added to its "missing". codes is
 * for VALUE_BITS and VALUE_MEANINGS.
 */
void report_fact(struct report *report, const char *key, enum value_type type, struct value value);
void report_fact_codes(struct report *report, const char *key, enum value_type type,
		       struct value value, const struct code_name *codes);

/* All selected columns of row, as facts of the current object. Not while a table is open. */
void report_facts(struct report *report, const struct selection *selection, const void *row);

/* Add to the "missing" of the current object; it is printed, even if empty, once this was called. */
void report_missing(struct report *report, const struct missing *missing);

void report_table(struct report *report, const struct table *table);
void report_row(struct report *report, const void *row);
void report_table_end(struct report *report);

/*
 * Where prose for people goes, or NULL where the format takes none. It waits until the next table or the end;
 * on a terminal lines that are wider go on in the next.
 */
struct out *report_prose(struct report *report);

/* Write all that there is now, for somebody who waits for it. */
void report_flush(struct report *report);

/*
 * A line above a table, from an out in memory, which it frees: on a terminal that is too narrow it loses its
 * middle.
 */
void report_heading(struct report *report, struct out *text);

/*
 * A paragraph for people, from an out in memory, which it frees: broken at blanks, so that it fits the terminal (80
 * columns where there is none); all but its first line are indented. Where there is no prose it is just freed.
 */
void report_wrap(struct report *report, struct out *text, size_t indent);

/* Bytes as the options want them: "1.2G", "1288490188", or pages. */
void report_size(const struct report *report, struct out *out, uint64_t bytes);

#endif
