/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CGROUPS_H
#define VMVIEW_SOURCE_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct root;

/*
 * Memory cgroups by inode, as kpagecgroup names them: the directories of the memory hierarchy, which
 * is the cgroup2 mount unless a cgroup1 mount has the memory controller. A recording holds them in
 * vmview/cgroups, "INODE PATH" a line.
 */
struct cgroups {
	const struct root *root;
	struct arena *arena;
	struct cgroup_path {
		uint64_t inode;
		struct bytes path;	/* as in /proc/PID/cgroup: "/system.slice" */
	} * list; /* heap, sorted by inode */
	size_t count, cap;
	unsigned reads;
};

/* Paths live in arena. */
void cgroups_init(struct cgroups *cgroups, const struct root *root, struct arena *arena);
void cgroups_fini(struct cgroups *cgroups);

/* Fill the list, unless it is there. */
void cgroups_list(struct cgroups *cgroups);

/*
 * The path of a cgroup; len 0 where there is none (any more). The directories are walked at the first
 * question, and once more for an inode that was not there then.
 */
struct bytes cgroups_path(struct cgroups *cgroups, uint64_t inode);

#endif
