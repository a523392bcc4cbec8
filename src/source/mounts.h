/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_MOUNTS_H
#define VMVIEW_SOURCE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;

/* What reading a file writes as the time of access. */
enum mount_atime {
	ATIME_ALWAYS, /* also where the mount is not known */
	ATIME_RELATIVE, /* relatime: seldom */
	ATIME_NEVER, /* noatime */
};

/* A mount of /proc/PID/mountinfo. */
struct mount {
	uint64_t id;
	uint32_t dev_major, dev_minor;
	struct bytes type; /* "ext4", "fuse.sshfs" */
	enum mount_atime atime;
};

struct mounts {
	const struct mount *list;
	size_t count;
};

/* Parse the text of mountinfo; pure. Lines that are no mount are skipped. Lives in arena and text. */
void mounts_parse(struct bytes text, struct arena *arena, struct mounts *out);

/* The type of the file system, by mount id or by device; len 0 where it is not mounted there. */
struct bytes mounts_type_by_id(const struct mounts *mounts, uint64_t id);
struct bytes mounts_type_by_dev(const struct mounts *mounts, uint32_t major, uint32_t minor);

/* What a file system means for looking at its files. */
enum fs_class {
	FS_UNKNOWN, /* may hang: not touched */
	FS_LOCAL, /* answers from this machine */
	FS_SHM, /* its files are memory: tmpfs and the like */
	FS_HUGETLB,
};

enum fs_class fs_class_of(struct bytes type);

/*
 * Whether the device is mounted, and wherever it is as a file system whose files can be opened without
 * waiting for anybody, and read with RWF_NOWAIT: ext4 and xfs, whose open() of an inode in memory takes
 * no lock that others can hold. (f2fs takes the inode's lock; btrfs and overlayfs show other devices in
 * stat than in maps; tmpfs and read-only file systems know no RWF_NOWAIT.)
 */
bool mounts_open_at_once(const struct mounts *mounts, uint32_t major, uint32_t minor);

enum mount_atime mounts_atime(const struct mounts *mounts, uint64_t id);

#endif
