/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_QUERY_H
#define VMVIEW_COLUMN_QUERY_H

#include "column/column.h"
#include "column/filter.h"
#include "column/sort.h"

/* What is asked of a table: --columns, --sort, --filter. */
struct query {
	struct selection selection;
	struct sort sort;
	struct filter *filter; /* filter_free() */
};

/* What has to be read before it can be answered (enum need). */
static inline unsigned query_needs(const struct query *query)
{
	return query->selection.needs | filter_needs(query->filter) |
	       (query->sort.column ? query->sort.column->needs : 0);
}

#endif
