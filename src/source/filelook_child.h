/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FILELOOK_CHILD_H
#define VMVIEW_SOURCE_FILELOOK_CHILD_H

#include <stdint.h>

#include "model/look.h"

struct mounts;
struct procdir;
struct statx;

/* What the child is asked, one message each; path_len bytes of path follow. */
struct look_request {
	uint64_t start, end, inode;
	uint32_t dev_major, dev_minor;
	uint32_t path_len;
	uint8_t deleted;	/* the kernel's name ends in " (deleted)", which path is without */
	uint8_t open;		/* keep ELF files open, and tell the rest of struct look_reply */
	uint8_t follow;		/* the path may be followed: it is not known to hang */
	uint8_t spare;
};

/* Why a file could not be looked at; look_reasons has the words. */
enum look_why {
	WHY_NONE,
	WHY_DENIED,
	WHY_GONE,
	WHY_MISMATCH,
	WHY_FILE_SYSTEM,
	WHY_FAILED,
	WHY_HANGS,
	WHY_GIVEN_UP,
	WHY_COUNT,
};

extern const char *const look_reasons[WHY_COUNT];

enum { LOOK_PATH_MAX = 4096, LOOK_BUILD_ID_MAX = 64, LOOK_HEAD = 64 };

struct look_reply {
	uint8_t linked;		/* a file called PATH (deleted) is there, and is this one */
	uint8_t type; /* enum look_type */
	uint8_t why;
	uint8_t opened;		/* an ELF file, its descriptor is kept */
	uint8_t place;		/* enum look_place; of files marked as deleted */
	uint8_t build_id_len;	/* of a file that could not be opened: the kernel may tell */
	uint8_t build_id[LOOK_BUILD_ID_MAX];
	/* of an opened file: what tells it from every other one, and from itself once it was changed */
	uint64_t dev, inode, size;
	int64_t mtime_ns;
	uint32_t uid;
};

/* A process whose files are looked at. */
struct look_process {
	const struct procdir *dir;
	const struct mounts *mounts;
	_Atomic uint32_t *stage; /* enum look_stage: what is done next, and may hang */
};

enum look_stage {
	LOOK_STAGE_FILE, /* opening and reading the file itself */
	LOOK_STAGE_PATH, /* following its path, to look at it */
	LOOK_STAGE_PLACE, /* following it to see what is in its place; the rest is known */
};

/*
 * Look at one file. May block for ever: for the child alone. path ends with NUL. *fd is the file where
 * reply.opened says so.
 */
struct look_reply look_at_file(const struct look_process *process,
			       const struct look_request *request, const char *path, int *fd);

/*
 * What look_directly() does too. Whether a file's first bytes (LOOK_HEAD at most) are those of ELF, by
 * libelf; and what the file then is. What tells the file from every other one.
 */
int look_is_elf(const char *head, unsigned len);
struct look_reply look_of_head(const char *head, unsigned len);
void look_identify(struct look_reply *reply, const struct statx *st);

#endif
