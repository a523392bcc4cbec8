/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/frame_owners.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void frame_owners_init(struct frame_owners *owners)
{
	memset(owners, 0, sizeof(*owners));
}

void frame_owners_fini(struct frame_owners *owners)
{
	free(owners->list);
	index_fini(&owners->index);
	frame_owners_init(owners);
}

static struct frame_owner *get(struct frame_owners *owners, uint64_t owner)
{
	uint32_t at = index_find(&owners->index, owner);

	if (at != INDEX_NONE)
		return &owners->list[at];
	index_add(&owners->index, owner, (uint32_t)owners->count);
	owners->list = mem_room(owners->list, owners->count, &owners->cap, sizeof(owners->list[0]));
	owners->list[owners->count] = (struct frame_owner){ .owner = owner };
	return &owners->list[owners->count++];
}

void frame_owners_add(struct frame_owners *owners, uint64_t owner, enum frame_class class,
		      uint64_t frames)
{
	get(owners, owner)->frames[class] += frames;
}

void frame_owners_add_words(struct frame_owners *owners, const uint64_t *flags,
			    const uint64_t *numbers, size_t count)
{
	size_t from = 0;

	while (from < count) {
		enum frame_class class = frame_class_of(flags[from]);
		size_t to = from + 1;

		while (to < count && flags[to] == flags[from] && numbers[to] == numbers[from])
			to++;
		/* what is free now may still show whom it was charged to when its word was read */
		frame_owners_add(owners, class == FRAME_FREE ? 0 : numbers[from], class, to - from);
		from = to;
	}
}

void frame_owners_merge(struct frame_owners *owners, const struct frame_owners *other)
{
	for (size_t i = 0; i < other->count; i++)
		for (unsigned class = 0; class < FRAME_CLASSES; class ++)
			if (other->list[i].frames[class])
				frame_owners_add(owners, other->list[i].owner,
						 (enum frame_class) class,
						 other->list[i].frames[class]);
}
