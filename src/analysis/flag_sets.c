/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/flag_sets.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/search.h"

void flag_sets_fini(struct flag_sets *sets)
{
	free(sets->sets);
	*sets = (struct flag_sets){ 0 };
}

/*
 * Index of flags, or where they belong. Sets are in rising order of flags while they are collected:
 * a binary search among some dozens is as good as a hash.
 */
static size_t find(const struct flag_sets *sets, uint64_t flags)
{
	return SEARCH(i, 0, sets->count, sets->sets[i].flags < flags);
}

static void insert(struct flag_sets *sets, size_t at, uint64_t flags)
{
	sets->sets = mem_room(sets->sets, sets->count, &sets->cap, sizeof(*sets->sets));
	for (size_t i = sets->count; i > at; i--)
		sets->sets[i] = sets->sets[i - 1];
	sets->sets[at] = (struct flag_set){ flags, 0 };
	sets->count++;
}

void flag_sets_add(struct flag_sets *sets, uint64_t flags, uint64_t pages)
{
	if (!pages)
		return;
	if (sets->last >= sets->count || sets->sets[sets->last].flags != flags) {
		sets->last = find(sets, flags);
		if (sets->last == sets->count || sets->sets[sets->last].flags != flags)
			insert(sets, sets->last, flags);
	}
	sets->sets[sets->last].pages += pages;
}

void flag_sets_merge(struct flag_sets *into, const struct flag_sets *from)
{
	for (size_t i = 0; i < from->count; i++)
		flag_sets_add(into, from->sets[i].flags, from->sets[i].pages);
}

static int compare(const void *left, const void *right)
{
	const struct flag_set *a = left, *b = right;

	if (a->pages != b->pages)
		return a->pages > b->pages ? -1 : 1;
	return a->flags < b->flags ? -1 : a->flags > b->flags;
}

void flag_sets_sort(struct flag_sets *sets)
{
	if (sets->count)
		qsort(sets->sets, sets->count, sizeof(*sets->sets), compare);
}
