/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_DOCUMENT_H
#define VMVIEW_RENDER_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "column/column.h"
#include "model/missing.h"
#include "model/value.h"

/* What a document is made of and how it is wanted: said to report.h, passed on to format.h. */
enum report_format { REPORT_TABLE, REPORT_JSON, REPORT_CSV, REPORT_HTML, REPORT_OPENMETRICS };
enum report_units { UNITS_BYTES, UNITS_HUMAN, UNITS_PAGES };

enum { REPORT_MEASURED = 1024 };

struct report_options {
	enum report_format format;
	enum report_units units;
	bool noheadings;
	bool raw; /* a table without alignment, for awk: one blank between columns, none within */
	bool color;
	size_t width; /* columns of the terminal, 0: names are never cut */
	size_t page_size; /* for UNITS_PAGES */
	bool columns_chosen; /* by -o */
	bool each_row; /* OpenMetrics: rows are asked for one by one, not as sums */
};

/* What a row's state is, for colour only; the state itself has to be readable in a column. */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM };

enum { TABLE_LIKES = 4 };

struct table {
	const char *key; /* JSON: the list's name */
	const struct selection *selection;
	enum tone (*tone)(const void *row); /* NULL: plain */
	bool (*repeats)(const void *row); /* steady columns are as in the row before; or NULL */
	/* 0..TABLE_LIKES - 1: rows with the same number have most values in common; or NULL */
	unsigned (*like)(const void *row);
	bool csv; /* the table that CSV shows */
	bool json_only; /* CSV and table formats do not show it */
	bool text_only; /* not in JSON: says again what other keys say */
	bool cut; /* only the first rows are wanted (--top) */
	/*
	 * For people: columns that a narrow line may lose, the first of them first ("tlb,slots"), unless
	 * -o asks for columns; and how many rows are shown, below REPORT_MEASURED, before one that adds up
	 * the others (0: all).
	 */
	const char *spare;
	size_t shown;
};

/*
 * "host" of a JSON document; each NULL text is null there. page_size in bytes.
 */
struct report_host {
	const char *kernel, *time;
	size_t page_size;
	bool recorded; /* a recorded tree */
};

#endif
