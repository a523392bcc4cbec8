/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_ROWS_H
#define VMVIEW_TESTS_ROWS_H

/* Rows that are made of typed values, and columns that give them: column n is value n of the row. */

#include "base/bytes.h"
#include "column/column.h"
#include "model/value.h"

enum { ROW_VALUES = 16 };

struct row {
	struct value value[ROW_VALUES];
};

static inline struct value row_get(const void *row, const struct column *column)
{
	return ((const struct row *)row)->value[column->arg];
}

#define COLUMN(n, key, value_type, ...)                                          \
	{                                                                        \
		.name = (key), .heading = (key), .help = "help", .type = (value_type), \
		.get = row_get, .arg = (n), __VA_ARGS__                          \
	}

#define U(number) ((struct value){ .u = (number) })
#define I(number) ((struct value){ .i = (number) })
#define D(number) ((struct value){ .d = (number) })
#define W(string) ((struct value){ .word = (string) })
#define T(string) ((struct value){ .text = BYTES_INIT(string) })
#define NONE ((struct value){ .reason = "" })
#define ABSENT(why) ((struct value){ .reason = (why) })

#endif
