/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/index.h"

#include <stdlib.h>

#include "base/memory.h"

enum { SIZE_FIRST = 64 };

void index_fini(struct index *index)
{
	free(index->entries);
	*index = (struct index){ 0 };
}

static void put(struct index *index, const struct index_entry *entry)
{
	uint64_t i = hash_u64(HASH_BEGIN, entry->number);

	while (index->entries[i & (index->size - 1)].place)
		i++;
	index->entries[i & (index->size - 1)] = *entry;
}

static void grow(struct index *index)
{
	const struct index old = *index;

	index->size = old.size ? 2 * old.size : SIZE_FIRST;
	index->entries = mem_zalloc(index->size * sizeof(*index->entries));
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].place)
			put(index, &old.entries[i]);
	free(old.entries);
}

void index_add(struct index *index, uint64_t number, uint32_t place)
{
	const struct index_entry entry = { number, place + 1 };

	if (2 * index->count >= index->size)
		grow(index);
	put(index, &entry);
	index->count++;
}
