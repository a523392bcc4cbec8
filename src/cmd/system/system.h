/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_SYSTEM_SYSTEM_H
#define VMVIEW_CMD_SYSTEM_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/sharing.h"
#include "column/query.h"
#include "engine/machine.h"
#include "engine/visit.h"
#include "render/report.h"
#include "source/caps.h"

struct context;
struct error;

/* What --by names. */
enum system_by { SYSTEM_BY_CLASS, SYSTEM_BY_CGROUP, SYSTEM_BY_PROCESS, SYSTEM_BY_FILE, SYSTEM_BYS };

/* Everything that was read, to be written: system.c reads, system_report.c and system_map.c write. */
struct system_view {
	struct context *ctx;
	enum system_by by;
	struct machine machine;
	/* of the main table: classes, or what --by names */
	const struct column_set *set;
	struct query query;
	struct selection sums;
	struct table table;		/* the main one, while it is open */
	struct caps caps;
	struct visits visits; /* of the owners */
	bool meminfo; /* for people: every line of it beside what frames add up to */
};

/* Begin the main table: rows filtered and sorted as the options say. It is left open for sums. */
void system_write_rows(struct system_view *view, const char *key, const void *rows, size_t count,
		       size_t size);

void system_write_classes(struct system_view *view);
void system_write_cgroups(struct system_view *view);
void system_write_zones(struct system_view *view);
void system_write_folios(struct system_view *view);
void system_write_pools(struct system_view *view);
void system_write_meminfo(struct system_view *view);
void system_write_map(struct system_view *view);

/*
 * Owners, by the page tables of all processes (system_owners.c, system_files.c): joined after the
 * census, so some frames have changed hands. Below them, how much of what flags call mapped was found,
 * of the kinds in the mask that were looked for; and how much of the rest was (NULL: it was not looked for).
 */
void system_write_processes(struct system_view *view);
void system_write_files(struct system_view *view);
void system_write_owned(struct system_view *view, const uint64_t owned[SHARE_KINDS],
			const uint64_t named[SHARE_KINDS], unsigned kinds);

/* The last line: how much of memory can do what. And in JSON, the facts of the whole machine. */
void system_write_summary(struct system_view *view);

/* Cells of the picture: as many as a screen has room for. */
uint64_t system_map_cells(const struct system_view *view);

#endif
