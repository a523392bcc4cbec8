/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PAGES_RUN_COLUMNS_H
#define VMVIEW_CMD_PAGES_RUN_COLUMNS_H

#include "column/column.h"

/*
 * The columns of a run of pages; rows are struct page_run. What a run can not have (a frame where
 * nothing is present) does not apply; what nobody told us (rights, the kernel) is absent for the reason
 * in run->absent, which holds for all runs and is listed with the process, too.
 */
extern const struct column_set run_columns;

extern const char run_columns_default[];	/* table */
extern const char run_columns_json[];
extern const char run_columns_csv[];

#endif
