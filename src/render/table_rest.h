/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_TABLE_REST_H
#define VMVIEW_RENDER_TABLE_REST_H

#include <stdbool.h>
#include <stddef.h>

struct column;
struct selection;
struct value;

/*
 * The rows of a table that are not shown, added up: bytes and counts, but for columns whose values
 * stand apart. A sum is known where all that it is made of is; a value that does not apply adds nothing.
 */
struct table_rest *table_rest_new(void);
void table_rest_free(struct table_rest *rest);

void table_rest_begin(struct table_rest *rest, const struct selection *selection);
void table_rest_add(struct table_rest *rest, const void *row);

size_t table_rest_count(const struct table_rest *rest); /* rows */

/* The sum of a column of the selection, if it has one. */
bool table_rest_sum(const struct table_rest *rest, const struct column *column,
		    struct value *value);

/* The column in which there is room for "71 more". */
const struct column *table_rest_words(const struct table_rest *rest);

#endif
