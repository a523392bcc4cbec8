/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_AT_COLUMNS_H
#define VMVIEW_CMD_AT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "column/column.h"

struct at_view;

/*
 * The facts about an address, in groups: a group is an object of JSON and a part of the table. A fact
 * is a column whose row is the struct at_view; its heading is the label for people, its help the
 * sentence of --explain.
 */
struct at_group {
	const char *key;	/* of the JSON object, and the group in the table */
	struct column_set set;
	const char *json;	/* names of the columns that are keys of the object; NULL: all */
	const char *text;	/* names of those that people see */
	/* NULL: the group is there; else why not ("": the question does not apply) */
	const char *(*absent)(const struct at_view *view);
	bool text_always;	/* people see its facts even then */
};

/* The group "object", at_object.c. */
enum { AT_OBJECT_COLUMNS = 11 };

extern const struct column at_object_columns[AT_OBJECT_COLUMNS];
const char *at_object_absent(const struct at_view *view);

extern const struct at_group at_groups[];
extern const size_t at_group_count;

#endif
