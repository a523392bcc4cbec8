/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/sharing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sharing_sets.h"
#include "base/arena.h"

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
		frames =
			slot_of(sharing, single[i] ? single[i] : sharing_set_new(sharing, ROOT, i));
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
			total->crowded[kind] += sharing_is_crowd(id) ? frames[kind] : 0;
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

uint64_t sharing_uss(const struct sharing_process *process)
{
	return share_sum(process->exclusive) - process->exclusive[SHARE_HUGETLB] + process->once;
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
		group_add(sharing_is_crowd(id) ? &crowd : &group, frames);
		if (!sharing_is_crowd(id) && group.total)
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
