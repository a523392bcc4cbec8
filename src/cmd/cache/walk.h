/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CACHE_WALK_H
#define VMVIEW_CMD_CACHE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/files.h"

struct cacheprobe;
struct context;

/*
 * The files below paths that the user gave, as far as something of them is in the page cache, and those
 * that are such a path themselves. Other mounts are entered unless one_file_system, but never those that
 * can make their reader wait.
 */
struct cache_walk {
	struct context *ctx;
	struct files *files;
	struct cacheprobe *probe;
	bool one_file_system;
	/* results */
	uint64_t file_count, directories;
	uint64_t bytes; /* sizes of the files */
	uint64_t unread; /* files and directories that could not be looked at */
	uint64_t mounts_left; /* that were not entered */
};

void cache_walk(struct cache_walk *walk, char **paths, size_t count);

#endif
