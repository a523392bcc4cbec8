/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_NAMES_H
#define VMVIEW_CMD_MAP_NAMES_H

#include "base/arena.h"
#include "base/index.h"
#include "column/vma_columns.h"

/*
 * Mappings that programs gave a name (prctl(PR_SET_VMA_ANON_NAME), "[anon:NAME]"), added up by it.
 * A process may give as many as it has mappings: those behind 4096 are one, "(other names)".
 */
struct map_names {
	struct arena arena;
	struct vma_tally *list;	/* name is the text */
	size_t count, cap;
	struct index index;	/* of list, by name; while they are added */
};

void map_names_init(struct map_names *names);
void map_names_fini(struct map_names *names);

/* Few mappings have a name that might be such a one. */
static inline bool map_names_wants(const struct vma *vma)
{
	return vma->path.len && vma->path.data[0] == '[';
}

/* Count the mapping if it has such a name. */
void map_names_add(struct map_names *names, const struct vma *vma);

/* The most address space first. */
void map_names_sort(struct map_names *names);

#endif
