/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_INDEX_H
#define VMVIEW_BASE_INDEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where in a list of the caller's something is, by a number that tells it apart: a hash table that only
 * grows. All zero is an empty one.
 */
struct index {
	struct index_entry *entries;
	size_t count, size;
};

enum { INDEX_NONE = UINT32_MAX };

void index_fini(struct index *index);

/* The place of key, or INDEX_NONE. */
uint32_t index_find(const struct index *index, uint64_t key);

/* Say where key is, which has to be new. */
void index_add(struct index *index, uint64_t key, uint32_t place);

#endif
