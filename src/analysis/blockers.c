/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/blockers.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"

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
	index_fini(&blockers->index);
	memset(blockers, 0, sizeof(*blockers));
}

static bool is_same(const void *list, uint32_t element, const void *key)
{
	const struct blocker *a = (const struct blocker *)list + element, *b = key;

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

static uint64_t hash_of(const struct blocker *blocker)
{
	uint64_t hash = hash_u64(HASH_BEGIN, blocker->kind);

	if (blocker->kind == BLOCKER_PROCESS)
		return hash_u64(hash, (uint64_t)blocker->pid);
	if (blocker->kind == BLOCKER_FILE)
		return hash_u64(hash_u64(hash, blocker->dev), blocker->inode);
	return blocker->kind == BLOCKER_CLASS ? hash_u64(hash, blocker->class) : hash;
}

uint32_t blockers_find(struct blockers *blockers, const struct blocker *like)
{
	const uint64_t hash = hash_of(like);
	uint32_t at = index_find_by(&blockers->index, hash, is_same, blockers->list, like);

	if (at != INDEX_NONE)
		return at;
	at = (uint32_t)blockers->count;
	blockers->list = mem_room(blockers->list, blockers->count, &blockers->cap,
				  sizeof(blockers->list[0]));
	blockers->list[blockers->count] = *like;
	blockers->list[blockers->count++].first = BLOCKER_NONE;
	index_add(&blockers->index, hash, at);
	return at;
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
	index_fini(&blockers->index);
}
