/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/index.h"

#include <stdlib.h>

#include "base/arena.h"

enum { SIZE_FIRST = 64 };

struct index_entry {
	uint64_t key;
	uint32_t place; /* and one: 0 is an empty entry */
};

void index_fini(struct index *index)
{
	free(index->entries);
	*index = (struct index){ 0 };
}

static uint64_t hash(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15u;
	return key ^ key >> 32;
}

/* The entry of key, or the empty one where it belongs. */
static struct index_entry *entry_of(const struct index *index, uint64_t key)
{
	for (size_t i = (size_t)hash(key);; i++) {
		struct index_entry *entry = &index->entries[i & (index->size - 1)];

		if (!entry->place || entry->key == key)
			return entry;
	}
}

uint32_t index_find(const struct index *index, uint64_t key)
{
	return index->size ? entry_of(index, key)->place - 1 : INDEX_NONE;
}

static void grow(struct index *index)
{
	const struct index old = *index;

	index->size = old.size ? 2 * old.size : SIZE_FIRST;
	index->entries = mem_zalloc(index->size * sizeof(*index->entries));
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].place)
			*entry_of(index, old.entries[i].key) = old.entries[i];
	free(old.entries);
}

void index_add(struct index *index, uint64_t key, uint32_t place)
{
	if (2 * index->count >= index->size)
		grow(index);
	*entry_of(index, key) = (struct index_entry){ key, place + 1 };
	index->count++;
}
