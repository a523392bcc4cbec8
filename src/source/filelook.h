/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FILELOOK_H
#define VMVIEW_SOURCE_FILELOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/look.h"
#include "source/look_key.h"

struct filelook;
struct procdir;
struct root;
struct vma;

/*
 * Look at mapped files: what type they are, and whether they are ELF files, from their first 64
 * bytes. Files are somebody else's, so:
 *
 * - Most are looked at at once, in steps none of which can wait: look_direct.h. What is not certain
 *   then is left to a child process, and told the same.
 * - There the file is found through /proc/PID/map_files, else by its path below /proc/PID/root, and
 *   counts only when it is a regular file with the inode that maps shows; never by the text of a path
 *   alone.
 * - File systems that can make their reader wait for ever (FUSE, network, unknown) are not touched:
 *   the mount is told by statx(AT_STATX_DONT_SYNC) on an O_PATH descriptor, which never blocks.
 * - A child that does not answer in LOOK_DEADLINE_MS is killed and left behind (child.h); what it looked at
 *   stays unknown, others go on. The file system that it hung on, or the directory on the way to the file,
 *   is not touched again: each costs that time once. After LOOK_LOST_MAX lost children no other one
 *   is started.
 *
 * Each file (device and inode) is looked at once.
 */
enum { LOOK_DEADLINE_MS = 1000, LOOK_LOST_MAX = 8, LOOK_CACHE_MAX = 65536 };

struct filelook *filelook_new(const struct root *root);
void filelook_free(struct filelook *filelook);

/* A mapped file that was looked at to be opened. */
struct look_file {
	struct look_key key;
	enum look_type type;
	const char *reason;	/* why it is not open; NULL: it is, or is no ELF file */
	enum look_place place;	/* of a file marked as deleted */
	struct bytes build_id;	/* of one that is not open, where the kernel knows it */
	/* of one that is open: what tells it from every other file */
	uint64_t dev, inode, size;
	int64_t mtime_ns;
	uint32_t uid;
	int fd;			/* -1: not open; else the sink's, which has to close it */
};

typedef void (*filelook_sink)(void *ctx, const struct look_file *file);

/*
 * From now on keep ELF files open and hand every file that is looked at to sink: once, and once for
 * each process where it does not last. To be called before the first file is asked for.
 */
void filelook_open_files(struct filelook *filelook, filelook_sink sink, void *ctx);

/*
 * The process whose files are looked at from now on. dir has to stay open until the next call.
 * Mounts are those of its mount namespace.
 */
void filelook_process(struct filelook *filelook, const struct procdir *dir);

/*
 * Ask for the file of a mapping; the answer may come later: filelook_get(). Requests to the child are
 * gathered, and go there together when the first answer is wanted: one switch to it and back.
 */
void filelook_ask(struct filelook *filelook, const struct vma *vma);

/* What the file of the mapping is; asks first where filelook_ask() was not called. */
struct look filelook_get(struct filelook *filelook, const struct vma *vma);

#endif
