/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/space_regions.h"

#include "model/vma.h"
#include "model/vma_store.h"

enum { GAP_LEAST = 1 << 20 }; /* smaller ones are no gap in a picture */

struct cut {
	uint64_t size;
	size_t before; /* the mapping above it */
};

/* The largest gaps, the largest first. */
struct cuts {
	struct cut list[SPACE_REGIONS - 1];
	size_t count;
};

static void add_cut(struct cuts *cuts, struct cut cut)
{
	size_t at = cuts->count;

	if (cut.size < GAP_LEAST)
		return;
	if (cuts->count < SPACE_REGIONS - 1)
		cuts->count++;
	else if (cuts->list[--at].size >= cut.size)
		return;
	for (; at > 0 && cuts->list[at - 1].size < cut.size; at--)
		cuts->list[at] = cuts->list[at - 1];
	cuts->list[at] = cut;
}

static bool is_cut(const struct cuts *cuts, size_t mapping)
{
	for (size_t i = 0; i < cuts->count; i++)
		if (cuts->list[i].before == mapping)
			return true;
	return false;
}

/* The mappings of the user's half, and where the largest gaps between them are. */
static size_t find_cuts(struct space_regions *regions, const struct vma_store *vmas,
			struct cuts *cuts)
{
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < vmas->count; i++) {
		struct vma vma;

		vma_store_get(vmas, i, &vma);
		if (vma.start >> 63)
			break;
		if (i)
			add_cut(cuts, (struct cut){ vma.start - end, i });
		if (regions->heap_end && regions->heap_end == end)
			regions->heap_room = vma.start - end;
		end = vma.end;
		if (vma.kind == KIND_HEAP)
			regions->heap_end = end;
		regions->mappings++;
		regions->mapped += vma_size(&vma);
	}
	return i;
}

static void begin_region(struct space_regions *regions, const struct vma *vma, size_t index)
{
	regions->rows[regions->count++] =
		(struct space_region){ .start = vma->start, .first = index };
}

static void add_gap(struct space_regions *regions, uint64_t start, uint64_t end)
{
	regions->rows[regions->count++] = (struct space_region){
		.start = start, .end = end, .grows = regions->heap_end == start
	};
}

void space_regions_make(struct space_regions *regions, const struct vma_store *vmas)
{
	struct cuts cuts = { .count = 0 };
	size_t count;

	*regions = (struct space_regions){ .count = 0 };
	count = find_cuts(regions, vmas, &cuts);
	for (size_t i = 0; i < count; i++) {
		struct space_region *region;
		struct vma vma;

		vma_store_get(vmas, i, &vma);
		if (i && is_cut(&cuts, i))
			add_gap(regions, regions->rows[regions->count - 1].end, vma.start);
		if (!i || is_cut(&cuts, i))
			begin_region(regions, &vma, i);
		region = &regions->rows[regions->count - 1];
		region->end = vma.end;
		region->mapped += vma_size(&vma);
		region->count++;
		if (region->mapped > regions->largest)
			regions->largest = region->mapped;
	}
}
