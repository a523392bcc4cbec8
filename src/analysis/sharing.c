/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/sharing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/frame_words.h"
#include "base/arena.h"

/* A frame's word: set << KIND_BITS | kind; 0: not in the join. */
enum { KIND_BITS = 3, KIND_MASK = (1 << KIND_BITS) - 1 };

enum {
	ROOT = 0, /* the empty set */
	CROWDS = 4096, /* classes of crowds by number of mappers; the last is "so many or more" */
	CROWD_FIRST = 1,
	SET_FIRST = CROWD_FIRST + CROWDS,
	TIMES_MAX = 1024, /* a frame that one process maps more often: no longer counted */
};

static const uint32_t nobody = UINT32_MAX;

/*
 * A set is its parent and a member more, which is behind all members of the parent. A process that
 * maps a frame more than once steps to a set of its own (times), so that map counts can be explained;
 * canon is the set with the same members, each once.
 */
struct set {
	uint32_t parent, member;
	uint32_t size; /* members */
	uint32_t mappings; /* pages that lead to a frame of it */
	uint32_t times; /* of these by member */
	uint32_t canon;
	uint32_t crowded; /* frames that left it for a crowd */
};

/* The set after a page of this process; apart, since most pages need nothing else of a set. */
struct step {
	uint32_t process, to;
};

/* The frames of a set that has any, when all is added up. */
struct set_frames {
	uint64_t frames[SHARE_KINDS];
};

/* Runs that are on their way to their words at the same time. */
enum { TOGETHER = 64, LINE_WORDS = 16 };

struct sharing {
	struct frame_words frames; /* set and kind of each */
	struct set *sets;
	struct step *steps; /* of each set; when all is added, see slot_of() */
	uint32_t set_count, set_cap, sets_left;
	double *weight; /* by set: the sum of 1 / map count of its frames */
	uint64_t counted[SHARE_KINDS]; /* frames whose map count tells whether they are closed */
	struct set_frames *slots;
	uint32_t slot_count, process_count;
	size_t slot_cap, process_cap;
	struct sharing_process *processes;
	bool crowded, finished;
	bool touched; /* the current process has added frames */
	struct sharing_total total;
};

const char *const share_kind_names[SHARE_KINDS] = { "anon", "shm", "file", "ksm", "hugetlb" };

static uint32_t set_new(struct sharing *sharing, uint32_t parent, uint32_t member)
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

static bool is_crowd(uint32_t set)
{
	return set >= CROWD_FIRST && set < SET_FIRST;
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
	made = set_new(sharing, from, process);
	sharing->sets_left -= from != ROOT;
	if (again || sharing->sets[from].canon != from)
		sharing->sets[made].canon = canon;
	sharing->steps[from] = (struct step){ process, made };
	return made;
}

/* The slow way of sharing_add(): the first frame of a set, or one that comes to a crowd. */
static uint32_t step_to(struct sharing *sharing, uint32_t from, uint32_t process)
{
	uint32_t to = is_crowd(from) ? ROOT : set_make(sharing, from, process);

	if (to != ROOT)
		return to;
	if (!is_crowd(from))
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
		if (is_crowd(to))
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
	sharing->counted[word & KIND_MASK]++;
	sharing->total.closed[word & KIND_MASK] += map_count == set->mappings;
}

/* The next set up with another member; ROOT: none. */
static uint32_t set_above(const struct sharing *sharing, uint32_t id)
{
	uint32_t member = sharing->sets[id].member;

	do
		id = sharing->sets[id].parent;
	while (id != ROOT && sharing->sets[id].member == member);
	return id;
}

/* When no step is to be remembered any more, step is the slot of a set that has one. */
static uint64_t *slot_find(const struct sharing *sharing, uint32_t id)
{
	const struct step *step = &sharing->steps[id];

	return step->process == nobody ? NULL : sharing->slots[step->to].frames;
}

static uint64_t *slot_of(struct sharing *sharing, uint32_t id)
{
	struct step *step = &sharing->steps[id];

	if (step->process == nobody) {
		sharing->slots = mem_room(sharing->slots, sharing->slot_count, &sharing->slot_cap,
					  sizeof(*sharing->slots));
		*step = (struct step){ 0, sharing->slot_count++ };
		sharing->slots[step->to] = (struct set_frames){ 0 };
	}
	return sharing->slots[step->to].frames;
}

/* Sets that differ in how often a process maps the frames belong together. */
static void count_frames(struct sharing *sharing)
{
	for (size_t i = FRAME_LEAF; i < sharing->frames.leaf_count * FRAME_LEAF; i++) {
		uint32_t word = sharing->frames.word[i];

		if (word)
			slot_of(sharing,
				sharing->sets[word >> KIND_BITS].canon)[word & KIND_MASK]++;
	}
}

/* What each set has counts for those that it grew from too: they come before it. */
static void sum_to_parents(const struct sharing *sharing, uint64_t *counts)
{
	for (uint32_t id = sharing->set_count - 1; id >= SET_FIRST; id--)
		counts[sharing->sets[id].parent] += counts[id];
}

/* The pages of each process by map count; crowds do not say whose they are. */
static void share_out_weight(struct sharing *sharing)
{
	double *weight = sharing->weight;

	for (uint32_t id = CROWD_FIRST; weight && id < sharing->set_count; id++)
		sharing->total.pss += weight[id] * sharing->sets[id].mappings;
	for (uint32_t id = sharing->set_count - 1; weight && id >= SET_FIRST; id--) {
		weight[sharing->sets[id].parent] += weight[id];
		sharing->processes[sharing->sets[id].member].pss += weight[id];
	}
}

static void share_out_crowds(struct sharing *sharing)
{
	uint64_t *counts;

	if (!sharing->crowded)
		return;
	counts = mem_zalloc(sharing->set_count * sizeof(*counts));
	for (uint32_t id = SET_FIRST; id < sharing->set_count; id++)
		counts[id] = sharing->sets[id].crowded;
	sum_to_parents(sharing, counts);
	for (uint32_t id = SET_FIRST; id < sharing->set_count; id++)
		if (sharing->sets[id].times == 1)
			sharing->processes[sharing->sets[id].member].crowded += counts[id];
	free(counts);
}

static void share_out_frames(struct sharing *sharing)
{
	uint64_t *counts = mem_alloc(sharing->set_count * sizeof(*counts));

	for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
		if (!sharing->total.footprint[kind])
			continue;
		memset(counts, 0, sharing->set_count * sizeof(*counts));
		for (uint32_t id = SET_FIRST; id < sharing->set_count; id++)
			if (slot_find(sharing, id))
				counts[id] = slot_find(sharing, id)[kind];
		sum_to_parents(sharing, counts);
		for (uint32_t id = SET_FIRST; id < sharing->set_count; id++)
			if (sharing->sets[id].times == 1)
				sharing->processes[sharing->sets[id].member].frames[kind] +=
					counts[id];
	}
	free(counts);
}

/* Exclusive frames belong to the set of the process alone. */
static void add_exclusive(struct sharing *sharing)
{
	uint32_t *single = mem_zalloc(sharing->process_count * sizeof(*single));

	for (uint32_t id = SET_FIRST; id < sharing->set_count; id++)
		if (sharing->sets[id].parent == ROOT)
			single[sharing->sets[id].member] = id;
	for (uint32_t i = 0; i < sharing->process_count; i++) {
		struct sharing_process *process = &sharing->processes[i];
		uint64_t *frames;

		if (!share_sum(process->exclusive) && !single[i])
			continue;
		frames = slot_of(sharing, single[i] ? single[i] : set_new(sharing, ROOT, i));
		for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
			frames[kind] += process->exclusive[kind];
			process->only[kind] = frames[kind];
		}
	}
	free(single);
}

static void add_up_processes(struct sharing *sharing)
{
	struct sharing_total *total = &sharing->total;

	for (uint32_t i = 0; i < sharing->process_count; i++) {
		struct sharing_process *process = &sharing->processes[i];

		for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
			if (kind != SHARE_HUGETLB) {
				process->pss += (double)process->exclusive[kind];
				total->pss += (double)process->exclusive[kind];
			}
			total->mapped[kind] += process->mapped[kind];
			total->exclusive[kind] += process->exclusive[kind];
			total->closed[kind] += process->exclusive[kind];
		}
	}
}

static void add_up_sets(struct sharing *sharing)
{
	struct sharing_total *total = &sharing->total;

	for (uint32_t id = CROWD_FIRST; id < sharing->set_count; id++) {
		const uint64_t *frames = slot_find(sharing, id);

		for (unsigned kind = 0; frames && kind < SHARE_KINDS; kind++) {
			total->footprint[kind] += frames[kind];
			total->crowded[kind] += is_crowd(id) ? frames[kind] : 0;
		}
	}
	for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
		total->uncounted[kind] =
			total->footprint[kind] - total->exclusive[kind] - sharing->counted[kind];
}

void sharing_finish(struct sharing *sharing)
{
	assert(!sharing->finished);
	sharing->finished = true;
	for (uint32_t id = 0; id < sharing->set_count; id++)
		sharing->steps[id].process = nobody;
	count_frames(sharing);
	sharing->total.sets = sharing->set_count - SET_FIRST;
	share_out_weight(sharing);
	free(sharing->weight);
	sharing->weight = NULL;
	share_out_crowds(sharing);
	add_exclusive(sharing);
	add_up_processes(sharing);
	add_up_sets(sharing);
	share_out_frames(sharing);
}

size_t sharing_process_count(const struct sharing *sharing)
{
	return sharing->process_count;
}

const struct sharing_process *sharing_process(const struct sharing *sharing, uint32_t process)
{
	return &sharing->processes[process];
}

const struct sharing_total *sharing_total(const struct sharing *sharing)
{
	return &sharing->total;
}

bool sharing_is_exact(const struct sharing *sharing)
{
	return !sharing->crowded;
}

/* So many times looking for the first is less than sorting all. */
enum { FEW = 16 };

static int group_compare(const void *a, const void *b)
{
	const struct sharing_group *x = a, *y = b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return x->set < y->set ? -1 : x->set > y->set;
}

static void group_add(struct sharing_group *group, const uint64_t *frames)
{
	for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
		group->frames[kind] += frames[kind];
		group->total += frames[kind];
	}
}

struct sharing_group *sharing_groups(const struct sharing *sharing, size_t *count)
{
	struct sharing_group *groups = mem_alloc((sharing->slot_count + 1) * sizeof(*groups));
	struct sharing_group crowd = { 0 };

	*count = 0;
	for (uint32_t id = CROWD_FIRST; id < sharing->set_count; id++) {
		const uint64_t *frames = slot_find(sharing, id);
		struct sharing_group group = { .set = id, .size = sharing->sets[id].size };

		if (!frames)
			continue;
		group_add(is_crowd(id) ? &crowd : &group, frames);
		if (!is_crowd(id) && group.total)
			groups[(*count)++] = group;
	}
	if (crowd.total)
		groups[(*count)++] = crowd;
	return groups;
}

void sharing_groups_sort(struct sharing_group *groups, size_t count, size_t top)
{
	struct sharing_group swap;

	if (top > FEW) {
		qsort(groups, count, sizeof(*groups), group_compare);
		return;
	}
	for (size_t i = 0; i < top && i < count; i++) {
		size_t first = i;

		for (size_t k = i + 1; k < count; k++)
			if (group_compare(&groups[k], &groups[first]) < 0)
				first = k;
		swap = groups[i];
		groups[i] = groups[first];
		groups[first] = swap;
	}
}

void sharing_members(const struct sharing *sharing, const struct sharing_group *group,
		     uint32_t *out)
{
	uint32_t left = group->size;

	for (uint32_t at = group->set; left; at = set_above(sharing, at))
		out[--left] = sharing->sets[at].member;
}
