/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_CHECK_H
#define VMVIEW_CMD_MAP_CHECK_H

struct context;
struct error;
struct targets;

/*
 * map --check: the figures of each mapping from smaps and from its pages, held against each other.
 * What smaps would make the process wait for is read at --pace fast alone. The mappings of a process
 * are kept three times while it is looked at. Sets ctx->status: partial where something could not be
 * read or differs without a reason; returns 0 or -EINVAL with *err for wrong options.
 */
int map_check(struct context *ctx, const struct targets *targets, struct error *err);

#endif
