/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/names.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_FIRST = 64, NAMES_MAX = 4096 };

void map_names_init(struct map_names *names)
{
	*names = (struct map_names){ .count = 0 };
	arena_init(&names->arena);
}

void map_names_fini(struct map_names *names)
{
	arena_fini(&names->arena);
	free(names->list);
	free(names->table);
	map_names_init(names);
}

/* FNV-1a */
static size_t hash_of(struct bytes text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3u;
	return (size_t)(hash ^ hash >> 32);
}

/* The place of the name; *place is 0 where it is not there. */
static uint32_t *find(const struct map_names *names, struct bytes name)
{
	for (size_t at = hash_of(name);; at++) {
		uint32_t *place = &names->table[at & (names->size - 1)];

		if (!*place || bytes_equal(bytes_of(names->list[*place - 1].name), name))
			return place;
	}
}

static void grow(struct map_names *names)
{
	if (names->count * 2 < names->size)
		return;
	names->size = names->size ? names->size * 4 : TABLE_FIRST;
	free(names->table);
	names->table = mem_zalloc(names->size * sizeof(names->table[0]));
	for (size_t i = 0; i < names->count; i++)
		*find(names, bytes_of(names->list[i].name)) = (uint32_t)i + 1;
}

static void add(struct map_names *names, struct bytes name)
{
	names->list = mem_room(names->list, names->count, &names->cap, sizeof(names->list[0]));
	vma_tally_init(&names->list[names->count++], arena_bytes(&names->arena, name).data);
}

void map_names_add(struct map_names *names, const struct vma *vma)
{
	struct bytes name = vma->path;
	uint32_t *place;

	if (!bytes_start_with(name, BYTES("[anon:")) &&
	    !bytes_start_with(name, BYTES("[anon_shmem:")))
		return;
	grow(names);
	if (names->count >= NAMES_MAX && !*find(names, name))
		name = BYTES("(other names)");
	place = find(names, name);
	if (!*place) {
		add(names, name);
		*place = (uint32_t)names->count;
	}
	vma_tally_add(&names->list[*place - 1], vma);
}

static int compare(const void *one, const void *other)
{
	const struct vma_tally *a = one, *b = other;

	if (a->sum.end != b->sum.end)
		return a->sum.end > b->sum.end ? -1 : 1;
	return strcmp(a->name, b->name);
}

void map_names_sort(struct map_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		vma_tally_settle(&names->list[i]);
	if (names->count)
		qsort(names->list, names->count, sizeof(names->list[0]), compare);
	/* the table is for adding, which is over */
	free(names->table);
	names->table = NULL;
	names->size = 0;
}
