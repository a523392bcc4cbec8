/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/sharing.h"

#include <assert.h>
#include <stdlib.h>

#include "analysis/sharing_sets.h"
#include "base/arena.h"

/* Runs that are on their way to their words at the same time. */
enum { TOGETHER = 64, LINE_WORDS = 16 };

const char *const share_kind_names[SHARE_KINDS] = { "anon", "shm", "file", "ksm", "hugetlb" };

uint32_t sharing_set_new(struct sharing *sharing, uint32_t parent, uint32_t member)
{
	const struct set *from;
	struct set *set;
	uint32_t id = sharing->set_count;

	if (id == sharing->set_cap) {
		sharing->set_cap += sharing->set_cap / 2;
		sharing->sets = mem_grow(sharing->sets, sharing->set_cap, sizeof(*sharing->sets));
		sharing->steps =
			mem_grow(sharing->steps, sharing->set_cap, sizeof(*sharing->steps));
	}
	from = &sharing->sets[parent];
	set = &sharing->sets[sharing->set_count++];
	*set = (struct set){
		.parent = parent,
		.member = member,
		.size = from->size + (from->member != member),
		.mappings = from->mappings + 1,
		.times = from->member == member ? from->times + 1 : 1,
		.canon = id,
	};
	sharing->steps[id] = (struct step){ nobody, 0 };
	return id;
}

struct sharing *sharing_new(uint32_t sets_max)
{
	struct sharing *sharing = mem_zalloc(sizeof(*sharing));

	frame_words_init(&sharing->frames);
	sharing->set_cap = 2 * SET_FIRST;
	sharing->sets = mem_zalloc(sharing->set_cap * sizeof(*sharing->sets));
	sharing->sets_left = sets_max ? sets_max : SHARING_SETS_MAX;
	sharing->steps = mem_alloc(sharing->set_cap * sizeof(*sharing->steps));
	for (uint32_t id = 0; id < SET_FIRST; id++) {
		sharing->sets[id] = (struct set){ .member = nobody, .mappings = id, .canon = id };
		sharing->steps[id] = (struct step){ nobody, 0 };
	}
	sharing->set_count = SET_FIRST;
	return sharing;
}

void sharing_free(struct sharing *sharing)
{
	if (!sharing)
		return;
	frame_words_fini(&sharing->frames);
	free(sharing->sets);
	free(sharing->steps);
	free(sharing->weight);
	free(sharing->slots);
	free(sharing->processes);
	free(sharing);
}

uint32_t sharing_begin(struct sharing *sharing)
{
	assert(!sharing->finished);
	sharing->processes = mem_room(sharing->processes, sharing->process_count,
				      &sharing->process_cap, sizeof(*sharing->processes));
	sharing->processes[sharing->process_count] = (struct sharing_process){ 0 };
	sharing->touched = false;
	return sharing->process_count++;
}

static uint32_t crowd_of(uint32_t mappings)
{
	return mappings < CROWDS ? CROWD_FIRST - 1 + mappings : SET_FIRST - 1;
}

/* The set after a page of this process; ROOT: no more sets, it has to be a crowd. */
static uint32_t set_make(struct sharing *sharing, uint32_t from, uint32_t process)
{
	const struct set *set = &sharing->sets[from];
	uint32_t canon = set->canon, made;
	bool again = set->member == process;

	if (again && set->times == TIMES_MAX)
		return from;
	if (sharing->steps[from].process == process)
		return sharing->steps[from].to;
	if (from != ROOT && !sharing->sets_left)
		return ROOT;
	if (!again && canon != from) {
		canon = set_make(sharing, canon, process);
		if (canon == ROOT || !sharing->sets_left)
			return ROOT;
	}
	made = sharing_set_new(sharing, from, process);
	sharing->sets_left -= from != ROOT;
	if (again || sharing->sets[from].canon != from)
		sharing->sets[made].canon = canon;
	sharing->steps[from] = (struct step){ process, made };
	return made;
}

/* The slow way of sharing_add(): the first frame of a set, or one that comes to a crowd. */
static uint32_t step_to(struct sharing *sharing, uint32_t from, uint32_t process)
{
	uint32_t to = sharing_is_crowd(from) ? ROOT : set_make(sharing, from, process);

	if (to != ROOT)
		return to;
	if (!sharing_is_crowd(from))
		sharing->sets[from].crowded++;
	sharing->crowded = true;
	sharing->processes[process].crowded++;
	return crowd_of(sharing->sets[from].mappings + 1);
}

/* Pages of one leaf. Neighbours mostly go from the same set to the same. */
static void join(struct sharing *sharing, size_t at, uint64_t count, unsigned kind)
{
	uint32_t process = sharing->process_count - 1, last = 0, last_to = 0;
	uint32_t *word = sharing->frames.word + at;

	for (uint64_t i = 0; i < count; i++) {
		uint32_t was = word[i], from = was >> KIND_BITS, to;

		if (last_to && was == last) {
			word[i] = last_to;
			continue;
		}
		if (sharing->steps[from].process == process)
			to = sharing->steps[from].to;
		else
			to = step_to(sharing, from, process);
		last = was;
		last_to = word[i] = to << KIND_BITS | (was ? was & KIND_MASK : kind);
		/* each page that comes to a crowd is counted */
		if (sharing_is_crowd(to))
			last_to = 0;
	}
}

static void join_run(struct sharing *sharing, const struct sharing_run *run, size_t at)
{
	uint64_t pfn = run->pfn, count = run->count;

	for (;;) {
		uint64_t rest = FRAME_LEAF - (pfn & (FRAME_LEAF - 1));
		uint64_t here = count < rest ? count : rest;

		join(sharing, at, here, run->kind);
		pfn += here;
		count -= here;
		if (!count)
			return;
		at = frame_words_make(&sharing->frames, pfn);
	}
}

static bool is_memory(const struct sharing_run *run)
{
	return run->pfn < SHARING_PFN_END && run->count <= SHARING_PFN_END - run->pfn;
}

/*
 * Reading pagemap throws the frames' words out of the processor's caches, and waiting for many of them
 * at once costs no more than for one.
 */
static void add_together(struct sharing *sharing, const struct sharing_run *runs, size_t count)
{
	size_t at[TOGETHER];

	for (size_t i = 0; i < count; i++) {
		if (runs[i].exclusive || !runs[i].count || !is_memory(&runs[i]))
			continue;
		at[i] = frame_words_make(&sharing->frames, runs[i].pfn);
		for (size_t k = 0; k < runs[i].count && k < FRAME_LEAF; k += LINE_WORDS)
			__builtin_prefetch(&sharing->frames.word[at[i] + k], 1);
	}
	for (size_t i = 0; i < count; i++) {
		struct sharing_process *process = &sharing->processes[sharing->process_count - 1];
		const struct sharing_run *run = &runs[i];

		if (run->exclusive) {
			process->exclusive[run->kind] += run->count;
			process->mapped[run->kind] += run->count;
		} else if (run->count && is_memory(run)) {
			process->mapped[run->kind] += run->count;
			sharing->touched = true;
			join_run(sharing, run, at[i]);
		}
	}
}

void sharing_add_runs(struct sharing *sharing, const struct sharing_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i += TOGETHER)
		add_together(sharing, runs + i, count - i < TOGETHER ? count - i : TOGETHER);
}

void sharing_add(struct sharing *sharing, uint64_t pfn, uint64_t count, enum share_kind kind,
		 bool exclusive)
{
	const struct sharing_run run = { pfn, count, (uint8_t)kind, exclusive };

	add_together(sharing, &run, 1);
}

static void drop_words(struct sharing *sharing)
{
	uint32_t process = sharing->process_count - 1;
	uint32_t *word = sharing->frames.word;

	for (size_t i = FRAME_LEAF; i < sharing->frames.leaf_count * FRAME_LEAF; i++) {
		uint32_t set = word[i] >> KIND_BITS, was = set;

		while (sharing->sets[set].member == process)
			set = sharing->sets[set].parent;
		if (set != was)
			word[i] = set == ROOT ? 0 : set << KIND_BITS | (word[i] & KIND_MASK);
	}
}

void sharing_drop(struct sharing *sharing)
{
	struct sharing_process *process = &sharing->processes[sharing->process_count - 1];

	if (sharing->touched)
		drop_words(sharing);
	sharing->touched = false;
	*process = (struct sharing_process){ .crowded = process->crowded };
}

uint64_t sharing_next_frames(const struct sharing *sharing, unsigned kinds, uint64_t *pfn)
{
	uint64_t at = *pfn, leaf = at & ~(uint64_t)(FRAME_LEAF - 1), found = 0;
	size_t base;

	while ((base = frame_words_next(&sharing->frames, &leaf))) {
		const uint32_t *words = sharing->frames.word + base;

		if (found && leaf != at)
			return found;
		for (at = at > leaf ? at : leaf; at < leaf + FRAME_LEAF; at++) {
			uint32_t word = words[at - leaf];
			bool wanted = word && kinds >> (word & KIND_MASK) & 1;

			if (found && !wanted)
				return found;
			if (wanted && !found++)
				*pfn = at;
		}
		leaf += FRAME_LEAF;
	}
	return found;
}

static uint32_t word_of(const struct sharing *sharing, uint64_t pfn)
{
	return pfn < SHARING_PFN_END ?
		       sharing->frames.word[frame_words_find(&sharing->frames, pfn)] :
		       0;
}

void sharing_set_kind(struct sharing *sharing, uint64_t pfn, enum share_kind kind)
{
	uint32_t word = word_of(sharing, pfn);

	if (word)
		sharing->frames.word[frame_words_find(&sharing->frames, pfn)] =
			(word & ~(uint32_t)KIND_MASK) | kind;
}

uint32_t sharing_set_of(const struct sharing *sharing, uint64_t pfn, enum share_kind *kind)
{
	uint32_t word = word_of(sharing, pfn);

	*kind = (enum share_kind)(word & KIND_MASK);
	return sharing->sets[word >> KIND_BITS].canon;
}

void sharing_set_map_count(struct sharing *sharing, uint64_t pfn, uint64_t map_count)
{
	uint32_t word = word_of(sharing, pfn), id = word >> KIND_BITS;
	const struct set *set = &sharing->sets[id];

	if (id == ROOT)
		return;
	if (!sharing->weight)
		sharing->weight = mem_zalloc(sharing->set_count * sizeof(*sharing->weight));
	/* mapped by fewer than were seen: unmapped meanwhile */
	if (map_count < set->mappings)
		map_count = set->mappings;
	if ((word & KIND_MASK) != SHARE_HUGETLB)
		sharing->weight[id] += 1 / (double)map_count;
	if (id == SET_FIRST - 1 || set->times == TIMES_MAX)
		return;
	/* bit 56 of pagemap is one for a whole huge page, of which another process copied a part */
	if (map_count == 1 && (word & KIND_MASK) != SHARE_HUGETLB)
		sharing->processes[set->member].once++;
	sharing->counted[word & KIND_MASK]++;
	sharing->total.closed[word & KIND_MASK] += map_count == set->mappings;
}
