/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/numa/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "engine/visit.h"
#include "source/memmap.h"
#include "source/nodes.h"
#include "source/numa_maps.h"

/* The mapping that is counted now; spans come in rising order. */
struct counting {
	struct visit *visit;
	struct memmap *map;
	struct numa_maps *out;
	uint64_t page_size;
	uint64_t pages[NODES_MAX];
	bool hidden;
};

static struct numa_vma *vma_of(struct counting *counting, size_t index)
{
	struct numa_maps *out = counting->out;
	struct vma vma;

	for (; out->count <= index; out->count++) {
		vma_store_get(&counting->visit->vmas, out->count, &vma);
		out->vmas[out->count] = (struct numa_vma){ .start = vma.start };
	}
	return &out->vmas[index];
}

/* All spans of the mappings counted so far are in: keep what the last has. */
static void keep_counts(struct counting *counting)
{
	struct numa_vma *vma;
	size_t count = 0;

	for (size_t node = 0; node < NODES_MAX; node++)
		count += counting->pages[node] > 0;
	if (!count)
		return;
	vma = &counting->out->vmas[counting->out->count - 1];
	vma->shares = arena_alloc(&counting->visit->arena, count * sizeof(*vma->shares));
	for (uint32_t node = 0; node < NODES_MAX; node++)
		if (counting->pages[node])
			vma->shares[vma->share_count++] =
				(struct numa_share){ node,
						     counting->pages[node] * counting->page_size };
	memset(counting->pages, 0, sizeof(counting->pages));
}

static void count_span(struct counting *counting, const struct page_span *span, uint64_t zero_pfn)
{
	for (uint64_t i = 0; i < span->pages; i++) {
		uint64_t pfn = pagemap_pfn(page_span_word(span, i));
		int node;

		if (page_span_state(span, i, zero_pfn) != PAGE_PRESENT)
			continue;
		if (!pfn) {
			counting->hidden = true;
			return;
		}
		node = memmap_node(counting->map, pfn);
		if (node >= 0 && node < NODES_MAX)
			counting->pages[node]++;
	}
}

static int take_pages(void *ctx, const struct page_batch *batch)
{
	struct counting *counting = ctx;

	for (size_t i = 0; i < batch->count && !counting->hidden; i++) {
		const struct page_span *span = &batch->spans[i];

		if (span->vma >= counting->out->count) {
			keep_counts(counting);
			vma_of(counting, span->vma);
		}
		count_span(counting, span, batch->zero_pfn);
	}
	return counting->hidden;
}

const char *numa_frames_read(struct visit *visit, struct memmap *map, struct numa_maps *out)
{
	struct counting *counting;
	const char *reason = NULL;
	size_t count = visit->vmas.count;

	if (visit->walk_reason)
		return visit->walk_reason;
	*out = (struct numa_maps){ 0 };
	out->vmas = arena_alloc(&visit->arena, (count + 1) * sizeof(*out->vmas));
	counting = mem_zalloc(sizeof(*counting));
	counting->visit = visit;
	counting->map = map;
	counting->out = out;
	counting->page_size = visit->walk.caps.page_size;
	if (visit_walk(visit, take_pages, counting) < 0)
		reason = "pages could not be read";
	if (counting->hidden)
		reason = "denied: needs CAP_SYS_ADMIN";
	if (!reason) {
		keep_counts(counting);
		if (count)
			vma_of(counting, count - 1);
	}
	free(counting);
	return reason;
}
