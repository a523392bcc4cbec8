/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_DIFF_COLUMNS_H
#define VMVIEW_CMD_MAP_DIFF_COLUMNS_H

#include "column/column.h"

/* What map --check shows: rows are struct figure_diff (analysis/figure_diff.h). */
extern const struct column_set diff_columns;
extern const char diff_columns_default[], diff_columns_json[], diff_columns_csv[];

#endif
