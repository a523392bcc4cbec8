/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_ELF_STALE_COLUMNS_H
#define VMVIEW_CMD_ELF_STALE_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/unit.h"
#include "column/column.h"
#include "model/look.h"

/* A process that maps a program file which is no longer what has its name. */
struct stale_row {
	int32_t pid;
	uint32_t uid;
	bool uid_known;
	struct bytes comm, user, cgroup;
	struct bytes units;		/* path that has the names of units */
	struct bytes unit;		/* within units; empty: none */
	enum unit_kind kind;
	bool own; /* the process wrote it itself, loaded and unlinked it */
	enum look_place place;		/* LOOK_PLACE_UNKNOWN, _EMPTY or _OTHER */
	struct bytes path;
	struct bytes build_id;		/* in hex; empty: none known */
	uint64_t size;			/* of all its mappings */
	uint32_t mappings;
	bool runs;			/* one of them may be executed */
};

/* What has to be started again: a unit, or a process that is in none. */
struct restart_row {
	enum unit_kind kind;
	struct bytes name;		/* of the unit or process */
	uint32_t processes;
	int32_t pid;			/* of the first */
};

extern const struct column_set stale_columns, restart_columns;
extern const char stale_columns_default[], restart_columns_default[];

#endif
