/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_BLOCKERS_H
#define VMVIEW_ANALYSIS_BLOCKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/frame_class.h"
#include "base/bytes.h"
#include "base/index.h"

/*
 * Who stands in the way: the owners of the frames that are left in pageblocks which are nearly free, and
 * how many of these pageblocks would be whole if one of them were gone.
 */
enum blocker_kind {
	BLOCKER_PROCESS, /* anonymous memory that one process alone has */
	BLOCKER_PROCESSES, /* anonymous memory that several have, since a fork */
	BLOCKER_FILE, /* page cache and shared memory that somebody maps */
	BLOCKER_CLASS, /* all else: by its use */
	BLOCKER_KINDS,
};

extern const char *const blocker_kind_names[BLOCKER_KINDS];

struct blocker {
	enum blocker_kind kind;
	enum frame_class class; /* BLOCKER_CLASS */
	int pid; /* BLOCKER_PROCESS */
	bool passing; /* it ends with this run: others are counted as if it were gone */
	uint64_t dev, inode; /* BLOCKER_FILE */
	struct bytes name; /* command of the process, path of the file */
	uint64_t frames; /* that it has in these pageblocks */
	uint64_t touched; /* pageblocks in which it has any */
	uint64_t pageblocks; /* of these, those in which nobody else has, but for passing ones */
	uint32_t first, tail; /* its frames, a chain; BLOCKER_NONE ends it */
	uint64_t last; /* of the counting: the pageblock last seen, plus 1 */
};

enum { BLOCKER_NONE = UINT32_MAX };

struct blocker_frame {
	uint64_t pfn, addr; /* addr: where the owner maps it first; 0: nowhere */
	uint32_t owner; /* index, or BLOCKER_NONE */
	uint32_t mapping; /* the caller's */
	uint32_t next; /* of the same owner */
	uint32_t expected, found; /* mappings */
	uint8_t class;
};

struct blockers {
	struct blocker *list;
	size_t count, cap;
	struct index index; /* of list, until it is sorted */
};

void blockers_init(struct blockers *blockers);
void blockers_fini(struct blockers *blockers);

/* The index of the owner that is the same as this one in what tells its kind apart; added if new. */
uint32_t blockers_find(struct blockers *blockers, const struct blocker *like);

/*
 * Count frames, touched and pageblocks, and chain the frames of each. Frames are in rising order, every one has an owner; size is of a
 * pageblock, in frames. The greatest comes first then: indices of owners in frames are no longer valid.
 */
void blockers_count(struct blockers *blockers, struct blocker_frame *frames, size_t count,
		    uint64_t size);

#endif
