/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_INDEX_H
#define VMVIEW_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * Where in a list of the caller's something is: a hash table that only grows. It is found by a number
 * that tells it apart; or, where it takes more to tell, by a hash of that (base/hash.h) and a function
 * that says whether an element is the one:
 *
 *	static bool is_name(const void *list, uint32_t place, const void *key) ..
 *
 *	at = index_find_by(&names->index, hash, is_name, names->list, &name);
 *	if (at == INDEX_NONE) {
 *		at = names->count++;
 *		index_add(&names->index, hash, at);
 *	}
 *
 * All zero is an empty one. Open addressing, half full at most.
 */
struct index {
	struct index_entry {
		uint64_t number;
		uint32_t place; /* and one: 0 is an empty entry */
	} * entries;
	size_t count, size;
};

enum { INDEX_NONE = UINT32_MAX };

typedef bool (*index_is)(const void *list, uint32_t place, const void *key);

void index_fini(struct index *index);

/* Inline, so that the calls of a known function cost none. */
static inline uint32_t index_find_by(const struct index *index, uint64_t number, index_is is,
				     const void *list, const void *key)
{
	for (uint64_t i = hash_u64(HASH_BEGIN, number); index->size; i++) {
		const struct index_entry *entry = &index->entries[i & (index->size - 1)];

		if (!entry->place)
			break;
		if (entry->number == number && (!is || is(list, entry->place - 1, key)))
			return entry->place - 1;
	}
	return INDEX_NONE;
}

/* The place of number, or INDEX_NONE. */
static inline uint32_t index_find(const struct index *index, uint64_t number)
{
	return index_find_by(index, number, NULL, NULL, NULL);
}

/* Say where number is, or something else with this hash; which is new. */
void index_add(struct index *index, uint64_t number, uint32_t place);

#endif
