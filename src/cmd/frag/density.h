/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_FRAG_DENSITY_H
#define VMVIEW_CMD_FRAG_DENSITY_H

#include "analysis/density.h"
#include "column/column.h"
#include "model/vma.h"

struct arena;
struct smaps_keys;

/* What a mapping is to malloc. */
enum frag_heap {
	FRAG_HEAP_NONE,
	FRAG_HEAP_BRK, /* [heap] */
	FRAG_HEAP_ARENA, /* a guess, by its place */
};

/* A mapping of a process. */
struct density_row {
	struct vma vma; /* first: the columns of mappings take it for the row */
	struct density density;
	enum frag_heap heap;
	uint64_t page_size;
	const char *reason, *frames_reason; /* why pages, and why frames, are not known */
};

/* Bytes below the highest page in use that are not: of heaps and arenas alone. */
struct value density_holes(const struct density_row *row);
/* Bytes between the highest page in use and the end. */
struct value density_above(const struct density_row *row);

extern const char density_columns_default[], density_columns_csv[], density_columns_json[];

void density_columns_make(struct arena *arena, const struct smaps_keys *keys,
			  struct column_set *set);

#endif
