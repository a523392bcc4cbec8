/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void map_groups_init(struct map_groups *groups, size_t most)
{
	*groups = (struct map_groups){ .most = most, .last = INDEX_NONE };
	arena_init(&groups->arena);
}

void map_groups_fini(struct map_groups *groups)
{
	arena_fini(&groups->arena);
	free(groups->list);
	index_fini(&groups->index);
	map_groups_init(groups, groups->most);
}

static bool has_key(const void *list, uint32_t place, const void *key)
{
	const struct map_group *group = (const struct map_group *)list + place;

	return bytes_equal(group->key, *(const struct bytes *)key);
}

static uint32_t find(const struct map_groups *groups, const struct bytes *key)
{
	return index_find_by(&groups->index, hash_bytes(HASH_BEGIN, *key), has_key, groups->list,
			     key);
}

static uint32_t add(struct map_groups *groups, struct bytes key)
{
	struct map_group *group;

	groups->list = mem_room(groups->list, groups->count, &groups->cap, sizeof(groups->list[0]));
	group = &groups->list[groups->count];
	group->key = arena_bytes(&groups->arena, key);
	vma_tally_init(&group->tally, group->key.data);
	index_add(&groups->index, hash_bytes(HASH_BEGIN, key), (uint32_t)groups->count);
	return (uint32_t)groups->count++;
}

void map_groups_add(struct map_groups *groups, struct bytes key, const struct vma *vma)
{
	uint32_t at = groups->last;

	if (at == INDEX_NONE || !bytes_equal(groups->list[at].key, key))
		at = find(groups, &key);
	if (at == INDEX_NONE && groups->count >= groups->most) {
		key = BYTES("(others)");
		at = find(groups, &key);
	}
	if (at == INDEX_NONE)
		at = add(groups, key);
	if (vma->same && at == groups->last)
		vma_tally_repeat(&groups->list[at].tally, vma);
	else
		vma_tally_add(&groups->list[at].tally, vma);
	groups->list[at].tally.sum.pid = vma->pid;
	groups->last = at;
}

static int compare(const void *one, const void *other)
{
	const struct vma_tally *a = &((const struct map_group *)one)->tally,
			       *b = &((const struct map_group *)other)->tally;

	if (a->sum.end != b->sum.end)
		return a->sum.end > b->sum.end ? -1 : 1;
	return strcmp(a->name, b->name);
}

void map_groups_sort(struct map_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		vma_tally_settle(&groups->list[i].tally);
	if (groups->count)
		qsort(groups->list, groups->count, sizeof(groups->list[0]), compare);
	/* the index is for adding, which is over */
	index_fini(&groups->index);
}
