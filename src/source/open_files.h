/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_OPEN_FILES_H
#define VMVIEW_SOURCE_OPEN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct procdir;
struct root;

/* A file that a process has open. */
struct open_file {
	int fd;
	struct bytes path; /* as the kernel has it, with " (deleted)"; lives until the sink returns */
	uint64_t mount, inode;
};

typedef void (*open_file_sink)(void *ctx, const struct open_file *file);

/*
 * The files of a process: what its links in fd/ give a path for, but devices. Nothing of a file is
 * touched, so no file system can make this wait. Descriptors that are closed meanwhile are passed over.
 * Returns 0 or -errno. (fdinfo has inodes since Linux 5.14; before that there are none.)
 */
int open_files_read(const struct procdir *dir, struct arena *arena, open_file_sink sink, void *ctx);

/* The text of a file of fdinfo/; pure. False where it lacks mnt_id or ino. */
bool open_file_parse(struct bytes text, uint64_t *mount, uint64_t *inode);

/*
 * The mnt_id of memfd, SysV and /dev/zero memory (0, mostly): that of a memfd of our own. No user can mount
 * anything there. Returns 0, or -errno where it is not known, as of a recording.
 */
int open_files_shm_mount(const struct root *root, struct arena *arena, uint64_t *mount);

#endif
