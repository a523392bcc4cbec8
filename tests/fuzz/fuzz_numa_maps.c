/* SPDX-License-Identifier: GPL-2.0-or-later */
/* numa_maps: mappings rise, nodes rise, every one is found again, and each line is one or is counted. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "source/nodes.h"
#include "source/numa_maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_vma(const struct numa_maps *maps, size_t i)
{
	const struct numa_vma *vma = &maps->vmas[i];

	if (i && maps->vmas[i - 1].start >= vma->start)
		abort();
	if (numa_maps_find(maps, vma->start) != vma || !vma->policy.len)
		abort();
	for (size_t k = 0; k < vma->share_count; k++) {
		if (vma->shares[k].node >= NUMA_NODES_MAX || !vma->page_size ||
		    vma->shares[k].bytes % vma->page_size)
			abort();
		if (k && vma->shares[k - 1].node >= vma->shares[k].node)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct number_range *ranges;
	struct numa_maps maps;
	struct arena arena;
	uint64_t cpu;
	int count;

	arena_init(&arena);
	numa_maps_parse(text, 4096, &arena, &maps);
	for (size_t i = 0; i < maps.count; i++)
		check_vma(&maps, i);
	count = number_list_parse(text, &arena, &ranges);
	for (int i = 0; i < count; i++)
		if (ranges[i].last < ranges[i].first)
			abort();
	stat_processor(text, &cpu);
	arena_fini(&arena);
	return 0;
}
