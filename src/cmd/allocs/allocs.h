/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_ALLOCS_ALLOCS_H
#define VMVIEW_CMD_ALLOCS_ALLOCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "column/query.h"
#include "engine/alloc_watch.h"
#include "model/missing.h"
#include "render/report.h"

struct context;

struct allocs_options {
	uint64_t interval, period;
	const char *by, *top;
};

/* A row of any of the tables; members that its table has no column of are not set. */
struct alloc_row {
	const struct alloc_watch *watch;
	const struct alloc_task *task; /* NULL: of several */
	const struct alloc_sum *sum;
	unsigned keys; /* what the row is of: enum alloc_key */
	size_t page_size;
};

enum alloc_table { TABLE_ORDERS, TABLE_CALLERS, TABLE_FRAGMENTING, TABLE_WAITS, ALLOC_TABLES };

struct allocs_run {
	struct context *ctx;
	struct allocs_options options;
	unsigned keys; /* of the table of callers */
	uint64_t top; /* rows of each table; 0: all */
	struct query query; /* of callers */
	struct selection selections[ALLOC_TABLES];
	struct table tables[ALLOC_TABLES];
	struct alloc_watch watch;
	struct missing missing;
};

/* columns.c: the columns of a table, and its defaults, where those of callers depend on the keys. */
void allocs_columns(enum alloc_table table, struct column_set *set);
const char *allocs_columns_default(enum alloc_table table, bool people);
const char *allocs_caller_columns(struct arena *arena, unsigned keys, bool people);

/* report.c */
void allocs_write(struct allocs_run *run);

#endif
