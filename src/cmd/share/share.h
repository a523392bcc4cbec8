/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_SHARE_SHARE_H
#define VMVIEW_CMD_SHARE_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "column/query.h"
#include "model/missing.h"

struct context;
struct error;
struct frame_join;
struct sharing;
struct sharing_group;
struct sharing_pair;
struct sharing_process;

/* What the rows of `vmview share` are made of: share.c reads, share_columns.c tells, share_report.c writes. */

/* Sums of smaps_rollup, where the frames of a process are not known. */
struct share_rollup {
	bool known;
	uint64_t rss, pss, uss, swap; /* bytes */
};

/* An address space: one process, or several that share it. */
struct share_row {
	int pid;
	struct bytes comm;
	struct bytes same; /* "4712 4713": processes with the same memory */
	char *same_text; /* what same points to, with some room */
	size_t same_room, twins;
	uint32_t index; /* in the sharing */
	const struct sharing_process *frames; /* NULL: not joined, see reason */
	const char *reason;
	const char *no_pss; /* why map counts are not known; NULL: they are */
	struct share_rollup rollup;
	uint64_t page_size, swapped;
};

struct share_pair_row {
	const struct sharing_pair *pair;
	const struct share_row *a, *b;
	uint64_t page_size;
	char names[48]; /* comm of both */
};

struct share_group_row {
	const struct sharing_group *group;
	uint64_t page_size;
	struct bytes pids; /* "101 102", rising */
	struct bytes names; /* "nginx 101-104, bash 7" */
};

/* A row of the matrix, for few processes. */
struct share_matrix_row {
	const struct share_row *row;
	uint64_t *shared; /* bytes, by column */
	size_t self;
};

struct share_columns {
	struct query query; /* of processes */
	struct selection pairs, groups;
};

extern const struct column_set share_process_columns;
extern const char share_process_defaults[];

/* Selections by format and options. Returns 0 or -EINVAL. */
int share_columns_make(struct share_columns *columns, struct context *ctx, struct error *err);

/* Columns of a matrix: pid, one for each row, command. */
void share_matrix_columns(struct context *ctx, const struct share_row *const *rows, size_t count,
			  struct selection *out);

/* Everything that was read, to be written. */
struct share_view {
	struct context *ctx;
	struct share_columns columns;
	struct share_row *rows;
	size_t count;
	const struct share_row **by_index; /* rows by their index in the sharing */
	struct frame_join *join;
	struct sharing *sharing; /* NULL: no frames; then reason */
	const char *reason;
	size_t top; /* pairs and groups at most, SIZE_MAX: all */
	size_t vanished, unread, joined;
	struct missing missing; /* of the document */
};

void share_write(struct share_view *view);

#endif
