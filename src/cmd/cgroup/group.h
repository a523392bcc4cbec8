/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CGROUP_GROUP_H
#define VMVIEW_CMD_CGROUP_GROUP_H

#include "cmd/cgroup/cgroup.h"
#include "engine/machine.h"
#include "engine/payers.h"

/* What removed groups below still hold, by class; bytes. */
struct group_removed {
	const char *reason; /* why it is not known; NULL: it is */
	uint64_t anonymous, shm, file;
};

/* One group: all that was read of it. */
struct group {
	struct cgroup_view *view;
	struct bytes path;
	struct memcg memcg;
	struct charges charges;
	struct charge_reclaim reclaim;
	struct memcg *above; /* the groups above it, the nearest first */
	size_t above_count;
	struct group_removed removed;
	uint64_t reserve; /* of processors, at most; bytes */
	uint64_t *inodes; /* of it and those below, sorted */
	size_t inode_count;
	int *pids;
	size_t pid_count;
	struct payers payers;
	struct machine machine;
	uint64_t frames[CHARGE_CLASSES]; /* by kpagecgroup; bytes */
	uint64_t file_mapped; /* of frames[CHARGE_FILE] */
	const char *frames_reason;
};

void group_write(struct group *group);

#endif
