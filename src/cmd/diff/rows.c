/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "analysis/mapping_match.h"
#include "base/array.h"
#include "base/memory.h"
#include "cmd/diff/diff.h"
#include "model/kind.h"

enum { BEFORE, AFTER };

#define NO_GROUP UINT32_MAX

const char *const diff_change_names[DIFF_CHANGES] = {
	[DIFF_NEW] = "new",	  [DIFF_GONE] = "gone", [DIFF_GROWN] = "grown",
	[DIFF_SHRUNK] = "shrunk", [DIFF_SAME] = "same",
};

static const struct vma_store *store_of(const struct diff_run *run, unsigned side)
{
	return side == BEFORE ? &run->first.vmas : &run->last.vmas;
}

/* The group of a mapping in a table that is not of mappings; NO_GROUP: it is in none. */
static uint32_t group_by(const struct diff_run *run, enum diff_table_id table,
			 const struct vma *vma)
{
	struct match_mapping mapping;

	if (table == DIFF_KINDS)
		return (uint32_t)vma->kind;
	/* all names are there already: nothing is added */
	diff_describe((struct diff_names *)(uintptr_t)&run->names, vma, &mapping);
	if (!mapping.name || mapping.class != (table == DIFF_OBJECTS ? MATCH_FILE : MATCH_ANON))
		return NO_GROUP;
	return mapping.name - 1;
}

static uint32_t *list_groups(const struct diff_run *run, enum diff_table_id table, unsigned side)
{
	const struct vma_store *store = store_of(run, side);
	uint32_t *list = mem_alloc((store->count + 1) * sizeof(*list));
	struct vma vma;

	for (size_t i = 0; i < store->count; i++) {
		if (table == DIFF_MAPPINGS) {
			list[i] = (side == BEFORE ? run->lineage.first : run->lineage.last)[i];
			continue;
		}
		vma_store_get(store, i, &vma);
		list[i] = group_by(run, table, &vma);
	}
	return list;
}

/* Sorted by group, each in the order of addresses. */
static void sort_by_group(struct diff_groups *groups, unsigned side, const uint32_t *group_of,
			  size_t count)
{
	uint32_t *at = mem_zalloc((groups->count + 1) * sizeof(*at)), *next;
	uint32_t *list = mem_alloc((count + 1) * sizeof(*list));

	for (size_t i = 0; i < count; i++)
		if (group_of[i] != NO_GROUP)
			at[group_of[i] + 1]++;
	for (uint32_t group = 0; group < groups->count; group++)
		at[group + 1] += at[group];
	next = mem_alloc((groups->count + 1) * sizeof(*next));
	memcpy(next, at, (groups->count + 1) * sizeof(*next));
	for (size_t i = 0; i < count; i++)
		if (group_of[i] != NO_GROUP)
			list[next[group_of[i]]++] = (uint32_t)i;
	free(next);
	groups->side[side].at = at;
	groups->side[side].list = list;
}

void diff_groups_make(const struct diff_run *run, enum diff_table_id table,
		      struct diff_groups *groups)
{
	groups->count = table == DIFF_MAPPINGS ? run->lineage.rows :
			table == DIFF_KINDS    ? KIND_COUNT :
						 (uint32_t)run->names.count;
	for (unsigned side = BEFORE; side <= AFTER; side++) {
		uint32_t *list = list_groups(run, table, side);

		sort_by_group(groups, side, list, store_of(run, side)->count);
		free(list);
	}
}

void diff_groups_fini(struct diff_groups *groups)
{
	for (unsigned side = BEFORE; side <= AFTER; side++) {
		free(groups->side[side].at);
		free(groups->side[side].list);
	}
}

static uint32_t size_of(const struct diff_groups *groups, uint32_t group, unsigned side)
{
	return groups->side[side].at[group + 1] - groups->side[side].at[group];
}

bool diff_group_is_empty(const struct diff_groups *groups, uint32_t group)
{
	return !size_of(groups, group, BEFORE) && !size_of(groups, group, AFTER);
}

static bool known(const struct vma *a, const struct vma *b, unsigned slot)
{
	return vma_has(a, slot) && vma_has(b, slot);
}

bool diff_growth(const struct diff_row *row, int64_t *bytes)
{
	static const unsigned slots[] = { SMAPS_RSS, SMAPS_SWAP, SMAPS_SHARED_HUGETLB,
					  SMAPS_PRIVATE_HUGETLB };
	const struct vma *a = &row->before.sum, *b = &row->after.sum;

	uint64_t sum = 0;

	if (!known(a, b, SMAPS_RSS))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		if (known(a, b, slots[i]))
			sum += b->field[slots[i]] - a->field[slots[i]];
	*bytes = (int64_t)sum;
	return true;
}

static enum diff_change change_of(const struct diff_row *row)
{
	int64_t size = (int64_t)(vma_size(&row->after.sum) - vma_size(&row->before.sum)), bytes;

	if (!row->before.mappings && !row->after.mappings)
		return DIFF_SAME;
	if (!row->before.mappings)
		return DIFF_NEW;
	if (!row->after.mappings)
		return DIFF_GONE;
	if (!diff_growth(row, &bytes) || !bytes)
		bytes = size;
	return bytes > 0 ? DIFF_GROWN : bytes < 0 ? DIFF_SHRUNK : DIFF_SAME;
}

/* The sums of a side, and its first mapping. */
static void add_side(const struct diff_run *run, const struct diff_groups *groups, uint32_t group,
		     unsigned side, struct diff_row *row)
{
	struct vma_tally *tally = side == BEFORE ? &row->before : &row->after;
	const uint32_t *at = groups->side[side].at;
	struct vma vma;

	vma_tally_init(tally, "");
	for (uint32_t i = at[group]; i < at[group + 1]; i++) {
		bool first = i == at[group];

		vma_store_get(store_of(run, side), groups->side[side].list[i], &vma);
		vma_tally_add(tally, &vma);
		if (first)
			row->vma = vma;
		if (first && side == BEFORE) {
			row->start_before = vma.start;
			row->perm_before = vma.perm;
		}
		if (side == BEFORE)
			row->end_before = vma.end;
		else
			row->vma.end = vma.end;
	}
	vma_tally_settle(tally);
}

void diff_row_make(const struct diff_run *run, enum diff_table_id table,
		   const struct diff_groups *groups, uint32_t group, struct diff_row *row)
{
	row->run = run;
	row->how = 0;
	row->name = (struct bytes){ NULL, 0 };
	row->series = row->spark = row->name;
	add_side(run, groups, group, BEFORE, row);
	if (size_of(groups, group, BEFORE))
		row->vma.end = row->end_before;
	add_side(run, groups, group, AFTER, row);
	row->change = change_of(row);
	if (table == DIFF_MAPPINGS)
		row->how = run->lineage.how[group];
	else if (table == DIFF_KINDS)
		row->name = bytes_of(kind_names[group]);
	else
		row->name = run->names.list[group];
}

void diff_total_make(const struct diff_run *run, struct diff_row *row)
{
	struct vma vma;

	*row = (struct diff_row){ .run = run, .name = BYTES("total") };
	for (unsigned side = BEFORE; side <= AFTER; side++) {
		struct vma_tally *tally = side == BEFORE ? &row->before : &row->after;
		const char *absent = (side == BEFORE ? &run->first : &run->last)->absent;

		vma_tally_init(tally, "total");
		for (size_t i = 0; i < store_of(run, side)->count; i++) {
			vma_store_get(store_of(run, side), i, &vma);
			vma_tally_add(tally, &vma);
		}
		vma_tally_settle(tally);
		if (!store_of(run, side)->count && absent)
			vma_tally_set_unknown(tally, absent);
	}
	row->change = change_of(row);
}
