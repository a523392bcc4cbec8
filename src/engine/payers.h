/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_PAYERS_H
#define VMVIEW_ENGINE_PAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/frame_class.h"
#include "base/bytes.h"
#include "engine/files.h"
#include "engine/visit.h"
#include "source/caps.h"

struct context;

/* A process of the group, or below. Pages where not said. */
struct payer_process {
	int pid;
	struct bytes comm, cgroup;
	int same_as; /* process that has the same memory; 0: none */
	uint64_t rss, pss, uss, swap; /* bytes */
	const char *rollup_reason; /* why these are not known; NULL: they are */
	uint64_t here, elsewhere; /* of what it maps: charged to the group, to others */
	const char *frames_reason;
};

/* Pages of a file, or of none, that one group uses and another pays for; each once. */
struct payer_use {
	uint32_t file; /* index + 1; 0: anonymous memory */
	uint32_t group; /* index: of who pays, where elsewhere; else of who uses them */
	bool elsewhere; /* used in the group, and others pay; else the other way round */
	uint64_t pages;
};

/*
 * Whose pages the processes of a cgroup use, and who uses the pages that it pays for. By frames: a page is
 * charged to the group whose process touched it first, whoever maps it later.
 */
struct payers {
	struct context *ctx;
	struct caps caps;
	struct files files;
	struct payer_process *processes;
	size_t process_count, process_cap;
	struct payer_use *uses;
	size_t use_count, use_cap;
	struct bytes *groups; /* paths; "" is one that is gone */
	size_t group_count, group_cap;
	uint64_t own[FRAME_CLASSES]; /* charged to the group and mapped by its processes */
	uint64_t others[FRAME_CLASSES]; /* charged to the group and mapped by others alone */
	const char *reason; /* why frames are not known; NULL: they are */
	struct visits visits; /* what became of the processes of the group */
	struct visits others_visits; /* and of all others */
};

/* Which groups are inside: theirs are these inodes, sorted. */
struct payer_group {
	struct bytes path;
	const uint64_t *inodes;
	size_t count;
	struct bytes (*path_of)(void *ctx, uint64_t inode); /* of any group; len 0: gone */
	void *ctx;
};

void payers_init(struct payers *payers, struct context *ctx, const struct caps *caps);
void payers_fini(struct payers *payers);

/*
 * Read the processes of the group, pids sorted; then, where others is set, all others for what they use of
 * it.
 */
void payers_read(struct payers *payers, const struct payer_group *group, int *pids, size_t count,
		 bool others);

#endif
