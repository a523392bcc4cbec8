/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FILELOOK_H
#define VMVIEW_SOURCE_FILELOOK_H

#include <stddef.h>

#include "model/look.h"

struct filelook;
struct procdir;
struct root;
struct vma;

/*
 * Look at mapped files: what type they are, and whether they are ELF files, from their first 64
 * bytes. Files are somebody else's, so:
 *
 * - The file is found through /proc/PID/map_files, else by its path below /proc/PID/root, and counts
 *   only when it is a regular file with the inode that maps shows; never by the text of a path alone.
 * - File systems that can make their reader wait for ever (FUSE, network, unknown) are not touched:
 *   the mount is told by statx(AT_STATX_DONT_SYNC) on an O_PATH descriptor, which never blocks.
 * - All of it happens in a child process, and a child that does not answer in LOOK_DEADLINE_MS is
 *   killed and left behind; what it looked at stays unknown, others go on. After LOOK_LOST_MAX lost
 *   children nothing is looked at any more.
 *
 * Each file (device and inode) is looked at once.
 */
enum { LOOK_DEADLINE_MS = 1000, LOOK_LOST_MAX = 8, LOOK_CACHE_MAX = 65536 };

struct filelook *filelook_new(const struct root *root);
void filelook_free(struct filelook *filelook);

/*
 * The process whose files are looked at from now on. dir has to stay open until the next call.
 * Mounts are those of its mount namespace.
 */
void filelook_process(struct filelook *filelook, const struct procdir *dir);

/*
 * Ask for the file of a mapping; the answer comes later: filelook_get(). Requests are gathered, and
 * go to the child together when the first answer is wanted: one switch to it and back.
 */
void filelook_ask(struct filelook *filelook, const struct vma *vma);

/* What the file of the mapping is; asks first where filelook_ask() was not called. */
struct look filelook_get(struct filelook *filelook, const struct vma *vma);

#endif
