/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/list.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/search.h"

void live_list_hold(struct live_list *list)
{
	list->users++;
}

void live_list_release(struct live_list *list)
{
	struct arena arena;

	if (!list || --list->users)
		return;
	arena = list->arena;
	list->ops->free(list);
	arena_fini(&arena);
}

/* The first row that ends behind at. */
static size_t first_behind(const struct live_list *list, uint64_t at)
{
	return SEARCH(i, 0, list->count, list->ids[i].end <= at);
}

static bool is_edge(const struct live_id *a, const struct live_id *b)
{
	return a->start == b->start || a->end == b->end;
}

static void match_pass(const struct live_list *now, const struct live_list *before, long *match,
		       bool *taken, bool edges)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct live_id *id = &now->ids[i];

		if (match[i] != LIST_NONE)
			continue;
		for (size_t k = first_behind(before, id->start);
		     k < before->count && before->ids[k].start < id->end; k++) {
			const struct live_id *old = &before->ids[k];

			if (taken[k] || old->tag != id->tag || (edges && !is_edge(id, old)))
				continue;
			taken[k] = true;
			match[i] = (long)k;
			break;
		}
	}
}

void live_list_match(const struct live_list *now, const struct live_list *before, long *match)
{
	bool *taken = mem_zalloc(before->count + 1);

	for (size_t i = 0; i < now->count; i++)
		match[i] = LIST_NONE;
	match_pass(now, before, match, taken, true);
	match_pass(now, before, match, taken, false);
	free(taken);
}

size_t live_list_gone(const long *match, size_t count, const struct live_list *before)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += match[i] != LIST_NONE;
	return before->count - found;
}

long live_list_find(const struct live_list *list, const struct live_id *id)
{
	for (size_t k = first_behind(list, id->start);
	     k < list->count && list->ids[k].start < id->end; k++)
		if (list->ids[k].tag == id->tag && is_edge(&list->ids[k], id))
			return (long)k;
	return LIST_NONE;
}
