/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/frame_sums.h"

#include "model/page.h"

#define F(name) PAGE_FLAG(name)

#define CLASS(name) (1u << FRAME_##name)
#define FILES (CLASS(FILE_MAPPED) | CLASS(FILE_UNMAPPED))
#define ANY_CLASS (~0u)

/* Flags that make a state, of a user's memory or page cache. */
static const uint64_t states[STATE_COUNT] = {
	[STATE_DIRTY] = F(DIRTY),
	[STATE_WRITEBACK] = F(WRITEBACK),
	[STATE_UNEVICTABLE] = F(UNEVICTABLE) | F(MLOCKED),
	[STATE_LARGE] = F(THP),
	[STATE_ACTIVE] = F(ACTIVE),
	[STATE_SWAP_CACHE] = F(SWAPCACHE),
	[STATE_MAPPED] = F(MMAP),
};

/* include/linux/mmzone.h, enum node_stat_item, as far as flags tell. */
static const struct {
	uint64_t all, none;
	unsigned classes;
} counts[COUNT_COUNT] = {
	[COUNT_ACTIVE_ANON] = { F(LRU) | F(ACTIVE) | F(SWAPBACKED), F(UNEVICTABLE), ANY_CLASS },
	[COUNT_INACTIVE_ANON] = { F(LRU) | F(SWAPBACKED), F(UNEVICTABLE) | F(ACTIVE), ANY_CLASS },
	[COUNT_ACTIVE_FILE] = { F(LRU) | F(ACTIVE), F(UNEVICTABLE) | F(SWAPBACKED), ANY_CLASS },
	[COUNT_INACTIVE_FILE] = { F(LRU), F(UNEVICTABLE) | F(SWAPBACKED) | F(ACTIVE), ANY_CLASS },
	[COUNT_UNEVICTABLE] = { F(LRU) | F(UNEVICTABLE), 0, ANY_CLASS },
	[COUNT_MLOCKED] = { F(MLOCKED), 0, ANY_CLASS & ~CLASS(SECRET) },
	[COUNT_DIRTY_FILE] = { F(DIRTY), 0, FILES },
	[COUNT_WRITEBACK] = { F(WRITEBACK), 0, ANY_CLASS },
	[COUNT_SWAP_CACHE] = { F(SWAPCACHE), 0, ANY_CLASS },
	[COUNT_ANON_MAPPED] = { F(MMAP) | F(ANON), 0, ANY_CLASS & ~CLASS(HUGETLB) },
	[COUNT_FILE_MAPPED] = { F(MMAP), F(ANON) | F(RESERVED),
				FILES | CLASS(SHM) | CLASS(SECRET) | CLASS(KERNEL_MAPPED) },
};

static bool has_state(enum frame_class class, unsigned state)
{
	return state == STATE_MAPPED || (class >= FRAME_KSM && class <= FRAME_FILE_UNMAPPED);
}

void frame_sums_add(struct frame_sums *sums, uint64_t flags, uint64_t frames, bool unevictable)
{
	enum frame_class class;
	enum frame_mobility mobility;

	flags = page_flags_clean(flags);
	class = frame_class_of(flags);
	mobility = frame_mobility_of(class, flags, unevictable);
	sums->total += frames;
	sums->class[class] += frames;
	sums->mobility[mobility] += frames;
	sums->mobility_of[class][mobility] += frames;
	for (unsigned state = 0; state < STATE_COUNT; state++)
		if (flags & states[state] && has_state(class, state))
			sums->state[class][state] += frames;
	if (class == FRAME_FREE || class == FRAME_SLAB)
		return;
	for (unsigned count = 0; count < COUNT_COUNT; count++)
		if ((flags & counts[count].all) == counts[count].all &&
		    !(flags & counts[count].none) && counts[count].classes >> class & 1)
			sums->count[count] += frames;
}

void frame_sums_add_words(struct frame_sums *sums, const struct census_words *words,
			  bool unevictable)
{
	for (size_t i = 0; i < words->size; i++)
		if (words->slots[i].frames)
			frame_sums_add(sums, words->slots[i].flags, words->slots[i].frames,
				       unevictable);
}

void frame_sums_add_class(struct frame_sums *sums, enum frame_class class, uint64_t frames)
{
	enum frame_mobility mobility = frame_classes[class].mobility;

	sums->total += frames;
	sums->class[class] += frames;
	sums->mobility[mobility] += frames;
	sums->mobility_of[class][mobility] += frames;
}

uint64_t frame_sums_move(struct frame_sums *sums, enum frame_class from, enum frame_class to,
			 uint64_t frames)
{
	enum frame_mobility old = frame_classes[from].mobility, new = frame_classes[to].mobility;

	if (frames > sums->class[from])
		frames = sums->class[from];
	sums->class[from] -= frames;
	sums->mobility[old] -= frames;
	sums->mobility_of[from][old] -= frames;
	sums->class[to] += frames;
	sums->mobility[new] += frames;
	sums->mobility_of[to][new] += frames;
	return frames;
}

void frame_sums_merge(struct frame_sums *sums, const struct frame_sums *other)
{
	uint64_t *to = (uint64_t *)sums;
	const uint64_t *from = (const uint64_t *)other;

	/* nothing but numbers */
	for (size_t i = 0; i < sizeof(*sums) / sizeof(*to); i++)
		to[i] += from[i];
}
