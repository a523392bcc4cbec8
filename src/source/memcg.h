/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_MEMCG_H
#define VMVIEW_SOURCE_MEMCG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "model/memcg.h"

struct arena;
struct error;
struct root;

/*
 * The hierarchy of cgroups that the memory controller is on: a cgroup1 mount that has it, else cgroup2.
 * dir is where it is mounted, without the first slash; top is the group that is there ("/" mostly; in a
 * container without a namespace of cgroups its own).
 */
struct memcg_mount {
	enum memcg_version version;
	struct bytes dir, top;
	struct bytes pids; /* of v1: where the hierarchy of pids is mounted; len 0: nowhere */
	struct bytes unified; /* of v1: where cgroup2 is mounted, for pressure; len 0: nowhere */
};

/* From proc/self/mountinfo, into arena. version MEMCG_NONE: there is none. */
void memcg_find_mount(const struct root *root, struct arena *arena, struct memcg_mount *out);

/* A path of /proc/PID/cgroup, as one from the top of the mount; len 0 where it is not below it. */
struct bytes memcg_path_below(const struct memcg_mount *mount, struct bytes path);

/* Pure: the text of memory.stat. Lines that are not known are passed over. */
void memcg_stat_parse(enum memcg_version version, struct bytes text, struct memcg_stat *out);

/* Pure: the text of memory.pressure. What is not there has a reason. */
void memcg_pressure_parse(struct bytes text, struct memcg_pressure out[MEMCG_PRESSURES]);

/* Pure: the value of "KEY VALUE" lines. False where there is no such line. */
bool memcg_line(struct bytes text, const char *key, uint64_t *out);

enum memcg_wants {
	MEMCG_WANT_STAT = 1,
	MEMCG_WANT_LIMITS = 2, /* max and high */
	MEMCG_WANT_ALL = 7,
};

/*
 * Read a group; path is from the top of the mount. current is always read. Returns 0, or -ENOENT where
 * there is no such group (any more). What could not be read has its reason.
 */
int memcg_read(const struct root *root, const struct memcg_mount *mount, struct bytes path,
	       unsigned wants, struct arena *arena, struct memcg *out, struct error *err);

/*
 * How many groups of the machine were removed and still hold something. v1: those that /proc/cgroups counts
 * beyond the ones that are there.
 */
struct number memcg_removed(const struct root *root, const struct memcg_mount *mount, size_t there,
			    struct arena *arena);

/*
 * The processes of the group itself, not of those below: sorted, into arena. Returns 0 or -errno.
 */
int memcg_processes(const struct root *root, const struct memcg_mount *mount, struct bytes path,
		    struct arena *arena, int **out, size_t *count);

#endif
