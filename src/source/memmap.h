/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_MEMMAP_H
#define VMVIEW_SOURCE_MEMMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct error;
struct root;

/*
 * Which frame numbers are memory, on which NUMA node and in which zone: the memory blocks of
 * /sys/devices/system/memory and /proc/zoneinfo. kpageflags can not tell: holes read as 0 there,
 * like frames without any flag.
 */
enum { MEMMAP_NO_NODE = -1 };

struct memmap_zone {
	int node;
	struct bytes name; /* "Normal" */
	uint64_t start_pfn, spanned; /* may hold holes, and overlap with other nodes' */
	uint64_t present, managed, free;
	uint64_t cached; /* free, in the lists of processors: no flag tells */
	uint64_t min; /* watermark: so many pages stay free for the kernel itself */
	/* so many more stay free where an allocation could go to any higher zone (lowmem_reserve) */
	uint64_t protection;
};

struct memmap {
	const struct root *root;
	struct arena *arena;
	uint64_t page_size;
	bool has_blocks, has_zones; /* were asked for: what follows is filled when it is needed */
	uint64_t block_frames; /* 0: the kernel has no memory blocks; all is on node 0 then */
	struct memmap_block {
		uint64_t index;
		int32_t node;
		uint8_t state; /* asked for when needed */
	} * blocks; /* sorted by index */
	size_t block_count, last_block;
	struct memmap_zone *zones;
	size_t zone_count;
	const char *zone_reason; /* why zones are not known, NULL: they are */
};

/* Parse /proc/zoneinfo; pure. Empty zones are left out. Names point into text. Returns 0 or -EPROTO. */
int zoneinfo_parse(struct bytes text, struct arena *arena, struct memmap_zone **out, size_t *count,
		   struct error *err);

/* Reads nothing yet. What is read at the first question to it lives in arena. */
void memmap_init(struct memmap *map, const struct root *root, uint64_t page_size,
		 struct arena *arena);

/* Frames of a memory block: all of a block are on one node, for all we know. 0: there are no blocks. */
uint64_t memmap_block_frames(struct memmap *map);

/*
 * Whether the frame is memory in use by the system, not a hole, a device or offline. Where nothing at
 * all is known of the memory, it is.
 */
bool memmap_is_memory(struct memmap *map, uint64_t pfn);

/* The node of the frame, or MEMMAP_NO_NODE. A block of two nodes counts for the lower one. */
int memmap_node(struct memmap *map, uint64_t pfn);

/* The zone of the frame, or NULL. */
const struct memmap_zone *memmap_zone(struct memmap *map, uint64_t pfn);

#endif
