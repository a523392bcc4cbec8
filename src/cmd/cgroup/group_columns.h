/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CGROUP_GROUP_COLUMNS_H
#define VMVIEW_CMD_CGROUP_GROUP_COLUMNS_H

#include "base/bytes.h"
#include "column/column.h"

/* A class of what the group is charged for, by three accounts. */
struct class_row {
	const char *name, *label, *source; /* source NULL: not known, or a sum */
	const char *why; /* why the accounts differ, or what the class is */
	const char *bytes_reason;
	int64_t bytes;
	struct number frames, processes;
};

extern const struct column_set class_columns;
extern const char class_default[], class_json[];

/* A process of the group. */
struct member_row {
	int pid;
	struct bytes command, cgroup;
	struct number rss, pss, uss, swap, here, elsewhere;
};

extern const struct column_set member_columns;
extern const char member_default[], member_json[];

/* Pages that one group uses and another pays for. */
struct use_row {
	struct bytes cgroup, name; /* path of the group; what people call it */
	struct bytes path; /* of the file */
	const char *direction;
	uint64_t bytes;
};

extern const struct column_set use_columns;
extern const char use_default[], use_json[], use_groups_json[];

/* A limit: of the group, or of one above it. */
struct limit_row {
	struct bytes path;
	struct number current, max, high;
};

extern const struct column_set limit_columns;
extern const char limit_json[];

#endif
