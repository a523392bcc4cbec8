/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_LOOK_DIRECT_H
#define VMVIEW_SOURCE_LOOK_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/filelook_child.h"

/*
 * The look that needs no child, because it never waits for anybody: most files are looked at so. Only
 * what is certain is told; false means that the child has to look, for whatever reason. Each step:
 *
 * - The device of the mapping is a block device, and the name is not marked as deleted.
 * - The directory is found among the entries that the kernel has in memory (openat2() with
 *   RESOLVE_CACHED, Linux 5.12), below our own root and by no symbolic link; neither the target's root
 *   nor its mmap_lock is touched.
 * - statmount() (Linux 6.8) says that it is on ext4 or xfs, whose open() of an inode in memory takes no
 *   lock that others can hold. (f2fs takes the inode's; btrfs and overlayfs show other devices in stat
 *   than in maps; tmpfs and read-only file systems know no RWF_NOWAIT.) Unlike mountinfo it costs the
 *   same, however much is mounted.
 * - The name is found there likewise, and on that mount: what is mounted on it is not entered. It counts
 *   when statx() of the O_PATH descriptor shows the device and the inode of maps: no other file has both,
 *   whatever mount namespace the process is in.
 * - It is a regular file of root or of the caller: nobody else can hold its locks, leases and keys.
 * - It is opened by the same name with O_NONBLOCK and O_NOATIME, and counts when it still is that file:
 *   whoever may have put another one there could not make it one of another file system, nor a device.
 *   Who may not have O_NOATIME reads only where that writes no time of access, for writing can wait.
 * - cachestat() (Linux 6.5) says that the first page is in memory, and RWF_NOWAIT reads it. The latter
 *   alone would be enough not to wait for a page, but it starts reading it, and so may wait for a
 *   disk's queue. Who may not ask (since 6.14: others than the owner) has RWF_NOWAIT alone: that
 *   is an ordinary user's own process.
 *
 * What is left is a watcher of root's (fanotify permission events), which can hold up any open() of
 * anybody: also those that start this program.
 */

/* The directory of the file that was looked at last. Held, it keeps its file system from unmounting. */
struct look_dir {
	int fd;			/* O_PATH, or -1 */
	bool opens_at_once;	/* it is on such a file system */
	uint64_t mount_attr;	/* MOUNT_ATTR_* */
	size_t len;		/* of path */
	char path[LOOK_PATH_MAX + 1];
};

/* Give the directory up. One that is new is { .fd = -1 }. */
void look_dir_leave(struct look_dir *dir);

/* Of a process without recorded tree and core. *fd is the file where reply->opened says so. */
bool look_directly(struct look_dir *dir, const struct look_request *request, const char *path,
		   struct look_reply *reply, int *fd);

#endif
