/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_GROUPS_H
#define VMVIEW_CMD_MAP_GROUPS_H

#include "base/arena.h"
#include "base/index.h"
#include "column/vma_columns.h"

/* The mappings of a process that have a key in common, added up. */
struct map_group {
	struct vma_tally
		tally; /* first: the columns of sums take it for the row; its name is the key, up to a NUL */
	struct bytes key;
};

/* A process may have as many keys as mappings: those after the first most are one group, "(others)". */
struct map_groups {
	struct arena arena;
	struct map_group *list;
	size_t count, cap, most;
	uint32_t last; /* the group of the mapping that was added last */
	struct index index; /* of list, by key; while they are added */
};

void map_groups_init(struct map_groups *groups, size_t most);
void map_groups_fini(struct map_groups *groups);

/* Add a mapping; where vma->same, the record before it has to be the one that was added last. */
void map_groups_add(struct map_groups *groups, struct bytes key, const struct vma *vma);

/* All are added: the most address space first. */
void map_groups_sort(struct map_groups *groups);

#endif
