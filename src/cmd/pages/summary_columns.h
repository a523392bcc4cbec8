/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PAGES_SUMMARY_COLUMNS_H
#define VMVIEW_CMD_PAGES_SUMMARY_COLUMNS_H

#include "column/column.h"

/* The columns of counted pages; rows are struct page_summary. Numbers are pages where not said else. */
extern const struct column_set summary_columns;

extern const char summary_columns_default[];
extern const char summary_columns_json[];
extern const char summary_columns_csv[];
extern const char summary_columns_contiguity[];	/* JSON has them in an object of that name */

/* Sets of flags, as page-types prints them; rows are struct flag_set. */
extern const struct column_set flag_set_columns;
extern const char flag_set_columns_default[];
extern const char flag_set_columns_json[];

/* Physical runs by their length; rows are struct contiguity_row. */
struct contiguity_row {
	unsigned order;
	uint64_t runs;
	uint64_t page_size;
};

extern const struct column_set contiguity_columns;
extern const char contiguity_columns_default[];

#endif
