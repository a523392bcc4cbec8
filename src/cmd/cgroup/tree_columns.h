/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CGROUP_TREE_COLUMNS_H
#define VMVIEW_CMD_CGROUP_TREE_COLUMNS_H

#include "base/bytes.h"
#include "column/column.h"

/* A cgroup with all below it. Bytes; a reason is NULL where its number is known. */
struct tree_row {
	struct bytes path, name, indented; /* name: what people call it; indented: by its depth */
	uint64_t depth, inode;
	struct number current, max, high, swap;
	struct number anonymous, shm, file, kernel; /* of current */
	struct number reclaimable, working_set, dirty;
	struct number processes; /* of the group itself */
	uint32_t parent; /* index + 1; 0: none */
};

extern const struct column_set tree_columns;
extern const char tree_default[], tree_json[];

#endif
