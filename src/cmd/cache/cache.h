/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CACHE_CACHE_H
#define VMVIEW_CMD_CACHE_CACHE_H

#include "cmd/cache/columns.h"
#include "cmd/cache/walk.h"
#include "column/query.h"
#include "engine/context.h"
#include "engine/files.h"
#include "model/meminfo.h"

struct cache_options {
	const char *picture, *without, *top;
	bool one_file_system, open;
};

/* Everything that was read, to be written: report.c. */
struct cache_view {
	struct context *ctx;
	struct cache_options options;
	struct query query;
	unsigned needs; /* enum need, of the query */
	bool by_path; /* paths were given */
	bool with_processes; /* processes were read */
	struct files files;
	struct cache_walk walk;
	struct meminfo meminfo; /* after all else was read */
	const char *meminfo_reason; /* why it could not be; NULL: it was */
};

void cache_write(struct cache_view *view);

/* --picture: which parts of the file are cached. Returns 0, or -errno in *err. */
int cache_picture(struct cache_view *view, const char *path, struct error *err);

#endif
