/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CGROUP_CGROUP_H
#define VMVIEW_CMD_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/charge.h"
#include "column/query.h"
#include "engine/context.h"
#include "source/cgroups.h"
#include "source/memcg.h"

struct cgroup_options {
	bool tree;
	const char *top;
};

struct cgroup_view {
	struct context *ctx;
	struct cgroup_options options;
	struct query query;
	struct memcg_mount mount;
	struct cgroups cgroups; /* all there are, by inode */
};

/* --tree: all groups with what they are charged for. Returns 0 or -errno in *err. */
int cgroup_write_tree(struct cgroup_view *view, struct error *err);

/*
 * The group that an operand means: a path, below the mount or as /proc/PID/cgroup has it; a process;
 * the last part of a path, such as a unit of systemd; the first digits of the id of a container. Returns
 * 0, or -errno in *err: -ENOENT, or -EINVAL where several are meant.
 */
int cgroup_find(struct cgroup_view *view, const char *operand, struct bytes *path,
		struct error *err);

/* One group. */
int cgroup_write_group(struct cgroup_view *view, struct bytes path, struct error *err);

/* How many rows of a table are shown: --top, else for people as many as a question needs. */
size_t cgroup_rows_shown(const struct cgroup_view *view, size_t count, size_t people);

#endif
