/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/blockers.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { SLOTS_FIRST = 64 };

const char *const blocker_kind_names[BLOCKER_KINDS] = {
	[BLOCKER_PROCESS] = "process",
	[BLOCKER_PROCESSES] = "processes",
	[BLOCKER_FILE] = "file",
	[BLOCKER_CLASS] = "class",
};

void blockers_init(struct blockers *blockers)
{
	memset(blockers, 0, sizeof(*blockers));
}

void blockers_fini(struct blockers *blockers)
{
	free(blockers->list);
	free(blockers->slots);
	memset(blockers, 0, sizeof(*blockers));
}

static bool is_same(const struct blocker *a, const struct blocker *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case BLOCKER_PROCESS:
		return a->pid == b->pid;
	case BLOCKER_FILE:
		return a->dev == b->dev && a->inode == b->inode;
	case BLOCKER_CLASS:
		return a->class == b->class;
	case BLOCKER_PROCESSES:
	case BLOCKER_KINDS:
		break;
	}
	return true;
}

static size_t hash_of(const struct blocker *blocker)
{
	uint64_t hash = blocker->kind;

	if (blocker->kind == BLOCKER_PROCESS)
		hash += (uint64_t)blocker->pid << 8;
	else if (blocker->kind == BLOCKER_FILE)
		hash += (blocker->inode ^ blocker->dev << 20) << 8;
	else if (blocker->kind == BLOCKER_CLASS)
		hash += (uint64_t)blocker->class << 8;
	return (size_t)((hash * 0x9e3779b97f4a7c15ull) >> 32);
}

/* The slot where it is, or would be. */
static uint32_t *find_slot(const struct blockers *blockers, const struct blocker *like)
{
	size_t at = hash_of(like) & (blockers->size - 1);

	while (blockers->slots[at] && !is_same(&blockers->list[blockers->slots[at] - 1], like))
		at = (at + 1) & (blockers->size - 1);
	return &blockers->slots[at];
}

static void grow(struct blockers *blockers)
{
	free(blockers->slots);
	blockers->size = blockers->size ? blockers->size * 2 : SLOTS_FIRST;
	blockers->slots = mem_zalloc(blockers->size * sizeof(blockers->slots[0]));
	for (size_t i = 0; i < blockers->count; i++)
		*find_slot(blockers, &blockers->list[i]) = (uint32_t)i + 1;
}

uint32_t blockers_find(struct blockers *blockers, const struct blocker *like)
{
	uint32_t *slot;

	if (blockers->count * 2 >= blockers->size)
		grow(blockers);
	slot = find_slot(blockers, like);
	if (!*slot) {
		blockers->list = mem_room(blockers->list, blockers->count, &blockers->cap,
					  sizeof(blockers->list[0]));
		blockers->list[blockers->count] = *like;
		blockers->list[blockers->count++].first = BLOCKER_NONE;
		*slot = (uint32_t)blockers->count;
	}
	return *slot - 1;
}

/* The frames of one pageblock, from the one at index from on. */
static void count_block(struct blockers *blockers, struct blocker_frame *frames, size_t from,
			size_t to, uint64_t block)
{
	uint32_t only = frames[from].owner;
	bool alone = true;

	for (size_t i = from; i < to; i++) {
		struct blocker *owner = &blockers->list[frames[i].owner];

		if (blockers->list[only].passing)
			only = frames[i].owner;
		alone &= frames[i].owner == only || owner->passing;
		owner->frames++;
		owner->touched += owner->last != block + 1;
		owner->last = block + 1;
		frames[i].next = BLOCKER_NONE;
		if (owner->first == BLOCKER_NONE)
			owner->first = (uint32_t)i;
		else
			frames[owner->tail].next = (uint32_t)i;
		owner->tail = (uint32_t)i;
	}
	if (alone)
		blockers->list[only].pageblocks++;
}

static int compare(const void *left, const void *right)
{
	const struct blocker *a = left, *b = right;

	if (a->pageblocks != b->pageblocks)
		return a->pageblocks < b->pageblocks ? 1 : -1;
	if (a->touched != b->touched)
		return a->touched < b->touched ? 1 : -1;
	if (a->frames != b->frames)
		return a->frames < b->frames ? 1 : -1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

void blockers_count(struct blockers *blockers, struct blocker_frame *frames, size_t count,
		    uint64_t size)
{
	size_t from = 0;

	while (from < count) {
		uint64_t block = frames[from].pfn / size;
		size_t to = from + 1;

		while (to < count && frames[to].pfn / size == block)
			to++;
		count_block(blockers, frames, from, to, block);
		from = to;
	}
	if (blockers->count)
		qsort(blockers->list, blockers->count, sizeof(blockers->list[0]), compare);
	free(blockers->slots);
	blockers->slots = NULL;
	blockers->size = 0;
}
