/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_MOUNTS_H
#define VMVIEW_SOURCE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;

/* A mount of /proc/PID/mountinfo. */
struct mount {
	uint64_t id;
	uint32_t dev_major, dev_minor;
	struct bytes type; /* "ext4", "fuse.sshfs" */
	struct bytes root; /* what of the file system is mounted: "/" mostly, escaped */
	struct bytes point; /* where it is mounted, likewise */
	struct bytes options; /* of the file system: "rw,memory" */
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

/* The mount at this place, the last where several are; NULL: none. path as the kernel escapes it. */
const struct mount *mounts_at(const struct mounts *mounts, struct bytes path);

/* Whether the file system has an option of that name, without a value. */
bool mount_has_option(const struct mount *mount, const char *name);

/* A path as mountinfo has it: blank, tab, newline and backslash as \040 and so on. Into arena. */
struct bytes mount_escape(struct bytes path, struct arena *arena);

/* What a file system means for looking at its files. */
enum fs_class {
	FS_UNKNOWN, /* may hang: not touched */
	FS_REMOTE, /* known to answer from elsewhere, and so perhaps never */
	FS_LOCAL, /* answers from this machine */
	FS_KERNEL, /* its files are made as they are read (proc, sysfs) */
	FS_SHM, /* its files are memory: tmpfs and the like */
	FS_HUGETLB,
};

enum fs_class fs_class_of(struct bytes type);

/* Whether looking at a file of it never waits for anybody. */
static inline bool fs_class_answers(enum fs_class class)
{
	return class > FS_REMOTE;
}

#endif
