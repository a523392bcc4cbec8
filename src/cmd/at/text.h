/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_AT_TEXT_H
#define VMVIEW_CMD_AT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "column/column.h"

struct at_view;

/* A line of the table for people (and of CSV): a fact in words. Texts live in the view's arena. */
struct at_line {
	const char *group, *key, *fact, *explain;
	struct bytes value;
	bool dim;	/* an explanation, not a fact */
};

struct at_lines {
	struct at_line *list;
	size_t count, cap;
};

/*
 * The facts of all groups as lines; those that do not apply are left out. explain puts a sentence
 * under each. Texts longer than width (0: no limit) go on in the next line.
 */
void at_lines_make(struct at_lines *lines, const struct at_view *view, bool explain, size_t width);
void at_lines_free(struct at_lines *lines);

/* Columns of a line. */
extern const struct column_set at_line_columns;

#endif
