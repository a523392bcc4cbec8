/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/memmap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "source/root.h"

enum { NODES_MAX = 1024, BLOCKS_MAX = 1 << 20 };
enum block_state { BLOCK_UNKNOWN, BLOCK_ONLINE, BLOCK_OFFLINE };

/* The number behind prefix in a directory entry like "memory12". */
static bool numbered(const char *name, const char *prefix, uint64_t *number)
{
	size_t len = strlen(prefix);
	const char *at = name + len, *end = name + strlen(name);

	return strncmp(name, prefix, len) == 0 && num_parse_dec(&at, end, number) && at == end;
}

/* The numbers of the entries PREFIXn of a directory, on the heap. Returns how many. */
static size_t list_numbers(const struct root *root, uint64_t **out, const char *prefix,
			   const char *path)
{
	int fd = root_openat(root, O_RDONLY | O_DIRECTORY, NULL, "%s", path);
	size_t count = 0, cap = 0;
	struct dirent *entry;
	DIR *dir;

	*out = NULL;
	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return 0;
	}
	while (count < BLOCKS_MAX && (entry = readdir(dir))) {
		uint64_t number;

		if (!numbered(entry->d_name, prefix, &number))
			continue;
		*out = mem_room(*out, count, &cap, sizeof(**out));
		(*out)[count++] = number;
	}
	closedir(dir);
	return count;
}

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

/* Blocks by node; where there are no nodes, all blocks are on node 0. */
static void list_blocks(const struct root *root, struct block_list *list)
{
	uint64_t *nodes, *blocks;
	size_t node_count = list_numbers(root, &nodes, "node", "sys/devices/system/node");
	size_t count;

	for (size_t i = 0; i < node_count; i++) {
		char path[64] = "sys/devices/system/node/node";
		size_t len = strlen(path);

		if (nodes[i] >= NODES_MAX)
			continue;
		path[len + num_u64(path + len, nodes[i])] = '\0';
		count = list_numbers(root, &blocks, "memory", path);
		for (size_t k = 0; k < count; k++)
			add_block(list, blocks[k], (int)nodes[i]);
		free(blocks);
	}
	free(nodes);
	if (list->count)
		return;
	count = list_numbers(root, &blocks, "memory", "sys/devices/system/memory");
	for (size_t k = 0; k < count; k++)
		add_block(list, blocks[k], 0);
	free(blocks);
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
		map->zone_reason = map->root->recorded && rc == -ENOENT ? "not recorded" :
									  error_reason(-rc);
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
		list_blocks(map->root, &list);
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
	size_t low = 0, high = map->block_count;

	if (map->last_block < map->block_count && map->blocks[map->last_block].index == index)
		return &map->blocks[map->last_block];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->blocks[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == map->block_count || map->blocks[low].index != index)
		return NULL;
	map->last_block = low;
	return &map->blocks[low];
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
