/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"
#include "cmd/map/names.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 4096 };

void map_names_init(struct map_names *names)
{
	*names = (struct map_names){ .count = 0 };
	arena_init(&names->arena);
}

void map_names_fini(struct map_names *names)
{
	arena_fini(&names->arena);
	free(names->list);
	index_fini(&names->index);
	map_names_init(names);
}

static bool is_name(const void *list, uint32_t element, const void *key)
{
	const struct vma_tally *tally = (const struct vma_tally *)list + element;

	return bytes_equal(bytes_of(tally->name), *(const struct bytes *)key);
}

static uint32_t find(const struct map_names *names, const struct bytes *name)
{
	return index_find_by(&names->index, hash_bytes(HASH_BEGIN, *name), is_name, names->list,
			     name);
}

static uint32_t add(struct map_names *names, struct bytes name)
{
	names->list = mem_room(names->list, names->count, &names->cap, sizeof(names->list[0]));
	vma_tally_init(&names->list[names->count], arena_bytes(&names->arena, name).data);
	index_add(&names->index, hash_bytes(HASH_BEGIN, name), (uint32_t)names->count);
	return (uint32_t)names->count++;
}

void map_names_add(struct map_names *names, const struct vma *vma)
{
	struct bytes name = vma->path;
	uint32_t at;

	if (!bytes_start_with(name, BYTES("[anon:")) &&
	    !bytes_start_with(name, BYTES("[anon_shmem:")))
		return;
	at = find(names, &name);
	if (at == INDEX_NONE && names->count >= NAMES_MAX) {
		name = BYTES("(other names)");
		at = find(names, &name);
	}
	if (at == INDEX_NONE)
		at = add(names, name);
	vma_tally_add(&names->list[at], vma);
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
	/* the index is for adding, which is over */
	index_fini(&names->index);
}
