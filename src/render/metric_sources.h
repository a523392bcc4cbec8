/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_METRIC_SOURCES_H
#define VMVIEW_RENDER_METRIC_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/*
 * What of a command's document becomes metrics: the rows of a table, or an object. A metric is called
 * vmview_SUBJECT_COLUMN_UNIT; its value is the sum of the rows whose labels are the same (the largest,
 * where a sum says nothing). Every subject belongs to one source, so that the files of several commands can
 * lie in one directory of a collector.
 *
 * Lists are words with a blank between them. A label is a column or a fact of the row, or of an object
 * around it: "program=comm" is label program with the value of comm.
 */
struct metric_source {
	const char *command;
	const char *path; /* keys from the top of the document, "zones.orders"; "": the top */
	const char *subject;
	const char *labels;
	const char *id; /* labels too where each row is asked for by itself (--top, -o pid) */
	const char *columns; /* those that are metrics; where -o chose them, all that are numbers */
	const char *counter; /* of them those that only ever grow */
	const char *rows; /* a metric of this name is the number of rows */
	const char *rows_help;
	const char *unless; /* no value is taken of a row that has this column */
	bool largest;
};

extern const struct metric_source metric_sources[];
extern const size_t metric_sources_count;

/* Whether any of the command's document does. */
bool metric_sources_have(const char *command);

/* The help of a fact; those of columns are in the column. NULL: there is none. */
const char *metric_fact_help(const char *command, const char *key);

/*
 * The next word of a list: *list then stands behind it. A word "a=b" has the name a and the key b. False:
 * there is no more.
 */
struct metric_word {
	struct bytes name, key;
};

bool metric_word_next(const char **list, struct metric_word *word);

/* The word of list that has this key. False: there is none. */
bool metric_list_find(const char *list, const char *key, struct metric_word *word);

#endif
