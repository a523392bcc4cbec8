/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_PLACES_H
#define VMVIEW_CMD_MAP_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/range.h"
#include "model/vma_store.h"

struct report;

/* A row that is not asked for: a hole, or a mapping beside those that are. */
typedef void (*map_aside)(void *ctx, struct vma *vma);

/*
 * Which mappings are asked for (a range), and what is beside them: their neighbours, and the holes
 * between mappings (--gaps). Mappings come in the order of addresses.
 */
struct map_places {
	struct range range;
	bool gaps, neighbours;
	size_t page_size;
	map_aside aside;
	void *ctx;
	/* process */
	struct vma_store before; /* the mapping before, where it was not asked for; or empty */
	bool inside; /* the mapping before was asked for */
	bool passed; /* what was asked for is not there, and that is told */
	uint64_t end; /* of the mapping before; 0: there is none */
	size_t found;
	struct map_hole {
		uint64_t start, end;
	} * holes;
	size_t count, cap;
};

void map_places_init(struct map_places *places);
void map_places_fini(struct map_places *places);

/* Forget the process. */
void map_places_reset(struct map_places *places);

/* Nothing is asked for but all mappings. */
static inline bool map_places_all(const struct map_places *places)
{
	return !places->gaps && places->range.type == RANGE_ALL;
}

/* Whether the mapping is asked for. Writes what is between it and the one before. */
bool map_places_take(struct map_places *places, struct vma *vma);

/* The last mapping was taken. */
void map_places_end(struct map_places *places);

/* JSON: "gaps"; for people a line. */
void map_places_write(const struct map_places *places, struct report *report);

#endif
