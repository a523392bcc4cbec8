/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/fault_map.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/kinds.h"
#include "model/vma.h"

struct fault_extent {
	uint64_t start, end;
	uint32_t mapping;
};

uint64_t fault_tally_sum(const struct fault_tally *tally)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < FAULT_REASON_COUNT; i++)
		sum += tally->by[i];
	return sum;
}

void fault_map_init(struct fault_map *map)
{
	*map = (struct fault_map){ 0 };
	arena_init(&map->arena);
}

void fault_map_fini(struct fault_map *map)
{
	arena_fini(&map->arena);
	index_fini(&map->index);
	free(map->list);
	free(map->extents);
}

static enum fault_backing backing_of(enum vma_kind kind, uint8_t perm)
{
	switch (kind) {
	case KIND_HEAP:
	case KIND_STACK:
	case KIND_THREAD_STACK:
	case KIND_ANON:
	case KIND_RESERVED:
		return FAULT_BACKING_ANON;
	case KIND_SHM:
		return perm & VMA_SHARED ? FAULT_BACKING_SHARED_MEMORY : FAULT_BACKING_PRIVATE_FILE;
	case KIND_HUGETLB:
		return FAULT_BACKING_HUGETLB;
	case KIND_DEVICE:
	case KIND_SPECIAL:
		return FAULT_BACKING_OTHER;
	default:
		return perm & VMA_SHARED ? FAULT_BACKING_SHARED_FILE : FAULT_BACKING_PRIVATE_FILE;
	}
}

bool fault_map_wants_pages(const struct vma *vma)
{
	enum fault_backing backing = backing_of(vma->kind, vma->perm);

	/* of a file's pages only those are of interest that were copied */
	return backing == FAULT_BACKING_ANON ||
	       (backing == FAULT_BACKING_PRIVATE_FILE && vma->perm & VMA_WRITE);
}

static uint64_t key_of(uint64_t start, uint64_t inode, uint8_t perm)
{
	return hash_u64(hash_u64(HASH_BEGIN, start ^ perm), inode);
}

static uint32_t add_mapping(struct fault_map *map, const struct fault_mapping *mapping)
{
	uint64_t key = key_of(mapping->start, mapping->inode, mapping->place.perm);

	map->list = mem_room(map->list, map->count, &map->cap, sizeof(*map->list));
	map->list[map->count] = *mapping;
	if (index_find(&map->index, key) == INDEX_NONE)
		index_add(&map->index, key, (uint32_t)map->count);
	return (uint32_t)map->count++;
}

static void insert_extent(struct fault_map *map, size_t at, const struct fault_extent *extent)
{
	map->extents =
		mem_room(map->extents, map->extent_count, &map->extent_cap, sizeof(*map->extents));
	memmove(&map->extents[at + 1], &map->extents[at],
		(map->extent_count - at) * sizeof(*map->extents));
	map->extents[at] = *extent;
	map->extent_count++;
}

void fault_map_add(struct fault_map *map, const struct vma *vma, bool walked)
{
	const struct fault_mapping mapping = {
		.start = vma->start,
		.end = vma->end,
		.offset = vma->offset,
		.inode = vma->inode,
		.path = arena_bytes(&map->arena, vma->path),
		.name = vma->name.len ? arena_bytes(&map->arena, vma->name) : vma->name,
		.kind = vma->kind,
		.kind_reason = vma->kind_reason,
		.deleted = vma->deleted,
		.place = { backing_of(vma->kind, vma->perm), vma->perm, walked, vma->start,
			   vma->end },
	};

	insert_extent(map, map->extent_count,
		      &(struct fault_extent){ vma->start, vma->end, add_mapping(map, &mapping) });
}

/* The first extent that ends behind addr. */
static size_t extent_from(const struct fault_map *map, uint64_t addr)
{
	size_t low = 0, high = map->extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->extents[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t fault_map_find(const struct fault_map *map, uint64_t addr)
{
	size_t at = extent_from(map, addr);

	return at < map->extent_count && map->extents[at].start <= addr ? map->extents[at].mapping :
									  INDEX_NONE;
}

/* Take what lies in start .. end out of all extents; returns where one that fills it belongs. */
static size_t clear(struct fault_map *map, uint64_t start, uint64_t end)
{
	size_t at = extent_from(map, start), last = at;
	struct fault_extent *extent = &map->extents[at];

	if (at < map->extent_count && extent->start < start) {
		struct fault_extent rest = { end, extent->end, extent->mapping };

		extent->end = start;
		at++;
		if (rest.end > end) {
			insert_extent(map, at, &rest);
			return at;
		}
		last = at;
	}
	while (last < map->extent_count && map->extents[last].end <= end)
		last++;
	if (last < map->extent_count && map->extents[last].start < end)
		map->extents[last].start = end;
	memmove(&map->extents[at], &map->extents[last],
		(map->extent_count - last) * sizeof(*map->extents));
	map->extent_count -= last - at;
	return at;
}

/* The kind that an event tells, as far as its name does. */
static void name_mapping(struct fault_map *map, const struct fault_event *event,
			 struct fault_mapping *mapping)
{
	const struct bytes mark = BYTES(" (deleted)");
	struct vma vma = { .start = event->start,
			   .end = event->end,
			   .inode = event->inode,
			   .perm = event->perm,
			   .path = event->text };

	if (bytes_equal(vma.path, BYTES("//anon")))
		vma.path.len = 0;
	if (bytes_end_with(vma.path, mark)) {
		vma.path.len -= mark.len;
		vma.deleted = true;
	}
	vma.path_len = vma.path.len;
	mapping->kind = kind_of_record(&vma);
	if (mapping->kind == KIND_UNKNOWN) {
		mapping->kind = event->perm & VMA_EXEC ? KIND_ELF : KIND_FILE;
		mapping->kind_reason = "mapped meanwhile: its file was not looked at";
	}
	mapping->path = arena_bytes(&map->arena, vma.path);
	mapping->deleted = vma.deleted;
}

static bool is_same(const struct fault_mapping *mapping, const struct fault_event *event)
{
	/* the kernel grows a mapping by making it anew, over all of its length */
	return mapping->place.perm == event->perm && mapping->inode == event->inode &&
	       (!event->inode || event->start < mapping->start ||
		mapping->offset + (event->start - mapping->start) == event->offset);
}

static void stretch(struct fault_mapping *mapping, uint64_t start, uint64_t end)
{
	mapping->start = start < mapping->start ? start : mapping->start;
	mapping->end = end > mapping->end ? end : mapping->end;
	mapping->place.start = mapping->start;
	mapping->place.end = mapping->end;
}

static uint32_t born_mapping(struct fault_map *map, const struct fault_event *event)
{
	uint32_t at = index_find(&map->index, key_of(event->start, event->inode, event->perm));
	struct fault_mapping mapping = {
		.start = event->start,
		.end = event->end,
		.offset = event->offset,
		.inode = event->inode,
		.born = true,
	};

	if (at != INDEX_NONE && is_same(&map->list[at], event)) {
		stretch(&map->list[at], event->start, event->end);
		return at;
	}
	if (map->count == FAULT_MAPPINGS_MAX)
		return INDEX_NONE;
	name_mapping(map, event, &mapping);
	mapping.place = (struct fault_place){ backing_of(mapping.kind, event->perm), event->perm,
					      false, event->start, event->end };
	return add_mapping(map, &mapping);
}

void fault_map_change(struct fault_map *map, const struct fault_event *event)
{
	size_t at = extent_from(map, event->start);
	const struct fault_extent *extent = at < map->extent_count ? &map->extents[at] : NULL;
	uint32_t mapping = extent && extent->start <= event->start ? extent->mapping : INDEX_NONE;
	uint64_t start = event->start, end = event->end;

	if (mapping != INDEX_NONE && is_same(&map->list[mapping], event)) {
		if (end <= extent->end)
			return;
		map->born_bytes += end - extent->end;
		start = extent->start;
		stretch(&map->list[mapping], start, end);
	} else {
		map->born_bytes += end - start;
		mapping = born_mapping(map, event);
	}
	map->born++;
	at = clear(map, start, end);
	if (mapping != INDEX_NONE)
		insert_extent(map, at, &(struct fault_extent){ start, end, mapping });
}
