/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_RUN_COLUMNS_H
#define VMVIEW_COLUMN_RUN_COLUMNS_H

#include "column/column.h"

/*
 * The columns of a run of pages; rows are struct page_run. What a run can not have (a frame where
 * nothing is present) does not apply; what nobody told us (rights, the kernel) is absent without a
 * reason here: that holds for all runs and is listed once, with the process.
 */
extern const struct column_set run_columns;

extern const char run_columns_default[];	/* table */
extern const char run_columns_json[];
extern const char run_columns_csv[];

#endif
