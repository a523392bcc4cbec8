/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/memmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/search.h"
#include "source/listing.h"
#include "source/root.h"

enum { NODES_MAX = 1024 };
enum block_state { BLOCK_UNKNOWN, BLOCK_ONLINE, BLOCK_OFFLINE };

static int compare_blocks(const void *left, const void *right)
{
	const struct memmap_block *a = left, *b = right;

	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

struct block_list {
	struct memmap_block *blocks;
	size_t count, cap;
};

static void add_block(struct block_list *list, uint64_t index, int node)
{
	list->blocks = mem_room(list->blocks, list->count, &list->cap, sizeof(*list->blocks));
	list->blocks[list->count++] = (struct memmap_block){ .index = index, .node = node };
}

static size_t numbers_in(struct memmap *map, const char *path, const char *prefix, int **out)
{
	int fd = root_openat(map->root, O_RDONLY | O_DIRECTORY, NULL, "%s", path);

	return fd < 0 ? 0 : listing_numbers(fd, prefix, map->arena, out);
}

static void add_blocks(struct memmap *map, struct block_list *list, int node, const char *path)
{
	int *blocks;
	size_t count = numbers_in(map, path, "memory", &blocks);

	for (size_t i = 0; i < count; i++)
		add_block(list, (uint64_t)blocks[i], node);
}

/* Blocks by node; where there are no nodes, all blocks are on node 0. */
static void list_blocks(struct memmap *map, struct block_list *list)
{
	int *nodes;
	size_t count = numbers_in(map, "sys/devices/system/node", "node", &nodes);
	char path[64];

	for (size_t i = 0; i < count && nodes[i] < NODES_MAX; i++) {
		snprintf(path, sizeof(path), "sys/devices/system/node/node%d", nodes[i]);
		add_blocks(map, list, nodes[i], path);
	}
	if (!list->count)
		add_blocks(map, list, 0, "sys/devices/system/memory");
}

static void keep_blocks(struct memmap *map, struct block_list *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->blocks, list->count, sizeof(*list->blocks), compare_blocks);
	map->blocks = arena_alloc(map->arena, list->count * sizeof(*map->blocks));
	for (size_t i = 0; i < list->count; i++)
		if (!kept || map->blocks[kept - 1].index != list->blocks[i].index)
			map->blocks[kept++] = list->blocks[i];
	map->block_count = kept;
}

static void need_zones(struct memmap *map)
{
	struct bytes text;
	int rc;

	if (map->has_zones)
		return;
	map->has_zones = true;
	rc = root_read(map->root, map->arena, &text, NULL, "proc/zoneinfo");
	if (rc == 0)
		rc = zoneinfo_parse(text, map->arena, &map->zones, &map->zone_count, NULL);
	if (rc)
		map->zone_reason = root_reason(map->root, rc, NULL);
}

static void need_blocks(struct memmap *map)
{
	struct block_list list = { 0 };
	uint64_t block_size = 0;

	if (map->has_blocks)
		return;
	map->has_blocks = true;
	if (root_read_u64(map->root, 16, &block_size,
			  "sys/devices/system/memory/block_size_bytes") == 0)
		map->block_frames = block_size / map->page_size;
	if (map->block_frames)
		list_blocks(map, &list);
	keep_blocks(map, &list);
	free(list.blocks);
}

void memmap_init(struct memmap *map, const struct root *root, uint64_t page_size,
		 struct arena *arena)
{
	*map = (struct memmap){ .root = root, .arena = arena, .page_size = page_size };
}

uint64_t memmap_block_frames(struct memmap *map)
{
	need_blocks(map);
	return map->block_frames;
}

static struct memmap_block *find_block(struct memmap *map, uint64_t pfn)
{
	uint64_t index = pfn / map->block_frames;
	size_t at;

	if (map->last_block < map->block_count && map->blocks[map->last_block].index == index)
		return &map->blocks[map->last_block];
	at = SEARCH(i, 0, map->block_count, map->blocks[i].index < index);
	if (at == map->block_count || map->blocks[at].index != index)
		return NULL;
	map->last_block = at;
	return &map->blocks[at];
}

static bool in_a_zone(struct memmap *map, uint64_t pfn)
{
	need_zones(map);
	for (size_t i = 0; i < map->zone_count; i++)
		if (pfn - map->zones[i].start_pfn < map->zones[i].spanned)
			return true;
	return false;
}

bool memmap_is_memory(struct memmap *map, uint64_t pfn)
{
	struct memmap_block *block;
	uint64_t online;

	if (!memmap_block_frames(map))
		return in_a_zone(map, pfn) || !map->zone_count;
	block = find_block(map, pfn);
	if (!block)
		return false;
	if (block->state == BLOCK_UNKNOWN) {
		int rc = root_read_u64(map->root, 10, &online,
				       "sys/devices/system/memory/memory%lu/online",
				       (unsigned long)block->index);

		block->state = rc == 0 && !online ? BLOCK_OFFLINE : BLOCK_ONLINE;
	}
	return block->state == BLOCK_ONLINE;
}

int memmap_node(struct memmap *map, uint64_t pfn)
{
	const struct memmap_block *block;

	if (!memmap_block_frames(map))
		return in_a_zone(map, pfn) ? 0 : MEMMAP_NO_NODE;
	block = find_block(map, pfn);
	return block ? block->node : MEMMAP_NO_NODE;
}

const struct memmap_zone *memmap_zone(struct memmap *map, uint64_t pfn)
{
	int node = memmap_node(map, pfn);

	need_zones(map);
	for (size_t i = 0; i < map->zone_count; i++) {
		const struct memmap_zone *zone = &map->zones[i];

		if (zone->node == node && pfn - zone->start_pfn < zone->spanned)
			return zone;
	}
	return NULL;
}
