/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_TOTAL_H
#define VMVIEW_CMD_MAP_TOTAL_H

#include <stdbool.h>

struct context;
struct error;
struct targets;

/*
 * map --total: the totals of each process alone, from smaps_rollup, which costs the kernel a ninth of
 * smaps where mappings are many. Sets ctx->status; returns 0 or -EINVAL with *err for wrong options.
 */
int map_total(struct context *ctx, const struct targets *targets, struct error *err);

/* --columns=help: print the columns of --total, and return true. */
bool map_total_columns_help(struct context *ctx);

#endif
