/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_REPORT_H
#define VMVIEW_RENDER_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "column/column.h"
#include "model/missing.h"
#include "model/value.h"

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
 */
enum report_format { REPORT_TABLE, REPORT_JSON, REPORT_CSV };
enum report_units { UNITS_BYTES, UNITS_HUMAN, UNITS_PAGES };

enum { REPORT_MEASURED = 1024 };

struct report_options {
	enum report_format format;
	enum report_units units;
	bool noheadings;
	bool color;
	size_t width; /* columns of the terminal, 0: names are never cut */
	size_t page_size; /* for UNITS_PAGES */
};

/* What a row's state is, for colour only; the state itself has to be readable in a column. */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM };

enum { TABLE_LIKES = 4 };

struct table {
	const char *key; /* JSON: the list's name */
	const struct selection *selection;
	enum tone (*tone)(const void *row); /* NULL: plain */
	bool (*repeats)(const void *row);	/* steady columns are as in the row before; or NULL */
	/* 0..TABLE_LIKES - 1: rows with the same number have most values in common; or NULL */
	unsigned (*like)(const void *row);
	bool csv; /* the table that CSV shows */
	bool json_only; /* CSV and table formats do not show it */
	bool text_only; /* not in JSON: says again what other keys say */
};

struct report *report_new(struct out *out, const struct report_options *options);
void report_free(struct report *report);

const struct report_options *report_options(const struct report *report);

/*
 * "host" of a JSON document; each NULL text is null there. page_size in bytes.
 */
struct report_host {
	const char *kernel, *time;
	size_t page_size;
	bool recorded; /* a recorded tree */
};

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

/* Where prose for people goes, or NULL where the format takes none. */
struct out *report_prose(struct report *report);

/* Bytes as the options want them: "1.2G", "1288490188", or pages. */
void report_size(const struct report *report, struct out *out, uint64_t bytes);

#endif
