/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ps/frames.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/sharing_pairs.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/search.h"
#include "cmd/ps/groups.h"
#include "cmd/ps/read.h"
#include "engine/context.h"
#include "engine/frame_join.h"
#include "engine/same_mm.h"
#include "engine/progress.h"

/* What the join says of an item of the reader. */
struct joined {
	uint32_t index;		/* in the join; UINT32_MAX: not there */
	int same_as;		/* process whose address space it has, too; 0: none */
	const char *absent;	/* why it could not be read; NULL: it was, or has no memory */
};

struct ps_footprints {
	struct ps_reader *reader;
	struct frame_join *join;	/* NULL: frames may not be read, for this reason: */
	const char *reason;
	struct joined *joined;		/* of each item */
	struct same_mm same_mm;
};

/* Where the groups are known. */
struct grouping {
	const struct ps_footprints *footprints;
	const struct ps_member *members;
	size_t count;
	struct ps_row *groups, *total;
	uint32_t *label;		/* group of each process of the join */
};

static const char *reason_of(const struct root *root, int rc)
{
	if (rc == -ENOENT && root->recorded)
		return "not recorded";
	return rc == -EACCES || rc == -EPERM ? "denied: needs CAP_SYS_PTRACE and CAP_SYS_ADMIN" :
					       error_reason(rc);
}

/* One that ended since its rollup was read has no frames: it is no part of the list any more. */
static void join_item(struct ps_footprints *footprints, struct ps_item *item, struct joined *out)
{
	const struct ps_reader *reader = footprints->reader;
	struct frame_join_process process;
	int rc;

	if (item->dir.fd < 0) {
		out->absent = "too many processes for our descriptors";
		return;
	}
	if (reader->deadline && meter_now() >= reader->deadline) {
		out->absent = "budget: the time was spent";
		return;
	}
	item->dir.root = &reader->ctx->root;
	meter_target(item->dir.root->meter);
	out->same_as = same_mm_check(&footprints->same_mm, item->dir.pid, 0);
	if (out->same_as)
		return;
	rc = frame_join_add(footprints->join, &item->dir, &process, NULL);
	if (rc == -ESRCH || (rc == 0 && !process.mappings))
		item->rc = -ESRCH;
	else if (rc)
		out->absent = reason_of(item->dir.root, rc);
	else
		out->index = process.index;
}

static struct ps_resident resident_of(const struct ps_footprints *footprints,
				      const struct sharing_process *process)
{
	uint64_t page_size = footprints->reader->ctx->host.page_size;
	const uint64_t *mapped = process->mapped;

	return (struct ps_resident){
		.anonymous = (mapped[SHARE_ANON] + mapped[SHARE_KSM]) * page_size,
		.file = mapped[SHARE_FILE] * page_size,
		.shm = mapped[SHARE_SHM] * page_size,
		.pss = frame_join_no_counts(footprints->join) || process->crowded ?
			       UINT64_MAX :
			       (uint64_t)(process->pss * (double)page_size),
		.uss = sharing_uss(process) * page_size,
	};
}

/*
 * What is resident is told by the frames that the footprint is told by: the rollup was read before, of which
 * a process that grows has less. A recording is of one moment.
 */
static void take_residents(struct ps_footprints *footprints)
{
	const struct sharing *sharing = frame_join_sharing(footprints->join);
	struct ps_reader *reader = footprints->reader;

	for (size_t i = 0; i < reader->count && !reader->ctx->root.recorded; i++) {
		const struct joined *joined = &footprints->joined[i];
		struct ps_resident resident;

		if (joined->absent || joined->same_as || joined->index == UINT32_MAX)
			continue;
		resident = resident_of(footprints, sharing_process(sharing, joined->index));
		ps_row_take_join(&reader->items[i].row, &resident);
	}
}

struct ps_footprints *ps_footprints_read(struct ps_reader *reader, const struct caps *caps)
{
	struct ps_footprints *footprints = mem_zalloc(sizeof(*footprints));
	struct progress progress;

	footprints->reader = reader;
	footprints->reason = caps->reason[CAPS_FRAMES];
	if (footprints->reason)
		return footprints;
	footprints->joined = mem_zalloc((reader->count + 1) * sizeof(footprints->joined[0]));
	footprints->join = frame_join_new(reader->ctx, caps);
	same_mm_init(&footprints->same_mm, &reader->ctx->root);
	progress_begin(&progress, "joining the frames of processes");
	for (size_t i = 0; i < reader->count; i++) {
		struct ps_item *item = &reader->items[i];

		footprints->joined[i].index = UINT32_MAX;
		if (!item->rc && item->row.tally.mappings)
			join_item(footprints, item, &footprints->joined[i]);
		progress_show(&progress, i, reader->count);
	}
	progress_end(&progress);
	frame_join_finish(footprints->join);
	take_residents(footprints);
	return footprints;
}

void ps_footprints_free(struct ps_footprints *footprints)
{
	if (!footprints)
		return;
	frame_join_free(footprints->join);
	same_mm_fini(&footprints->same_mm);
	free(footprints->joined);
	free(footprints);
}

static void set_absent(struct grouping *grouping, size_t group, const char *reason)
{
	grouping->groups[group].fact[PS_FOOTPRINT] = value_absent(reason);
	grouping->total->fact[PS_FOOTPRINT] = value_absent(reason);
}

static size_t group_of_pid(const struct grouping *grouping, int pid)
{
	for (size_t i = 0; i < grouping->count; i++)
		if (grouping->members[i].row->fact[PS_PID].i == pid)
			return grouping->members[i].group;
	return SIZE_MAX;
}

/* A row is the first member of its item, and the items are an array. */
static const struct joined *joined_of(const struct ps_footprints *footprints,
				      const struct ps_row *row)
{
	const struct ps_item *items = footprints->reader->items;
	size_t count = footprints->reader->count;
	size_t at = SEARCH(i, 0, count, &items[i].row < row);

	return at < count && &items[at].row == row ? &footprints->joined[at] : NULL;
}

static void label_member(struct grouping *grouping, const struct ps_member *member)
{
	const struct joined *joined = joined_of(grouping->footprints, member->row);

	if (!joined)
		return;
	if (joined->absent)
		set_absent(grouping, member->group, joined->absent);
	else if (joined->same_as && group_of_pid(grouping, joined->same_as) != member->group)
		set_absent(grouping, member->group, "has an address space with another group");
	else if (joined->index != UINT32_MAX)
		grouping->label[joined->index] = (uint32_t)member->group;
}

static struct value footprint_of(const struct ps_row *row, const uint64_t frames[SHARE_KINDS],
				 uint64_t page_size)
{
	if (!row->tally.mappings)
		return value_absent(ps_no_memory);
	return value_u(share_sum(frames) * page_size);
}

static void roll_up(struct grouping *grouping, size_t group_count)
{
	struct sharing *sharing = frame_join_sharing(grouping->footprints->join);
	uint64_t(*sum)[SHARE_KINDS] = mem_zalloc((group_count + 1) * sizeof(*sum));
	uint64_t page_size = grouping->footprints->reader->ctx->host.page_size;

	sharing_roll_up(sharing, grouping->label, sum, (uint32_t)group_count);
	for (size_t i = 0; i < group_count; i++) {
		struct value *fact = &grouping->groups[i].fact[PS_FOOTPRINT];

		if (!sharing_is_exact(sharing))
			*fact = value_absent("too many sets of processes");
		else if (fact->reason && !*fact->reason)
			*fact = footprint_of(&grouping->groups[i], sum[i], page_size);
	}
	if (!*grouping->total->fact[PS_FOOTPRINT].reason)
		grouping->total->fact[PS_FOOTPRINT] =
			footprint_of(grouping->total, sharing_total(sharing)->footprint, page_size);
	free(sum);
}

void ps_footprints_add(const struct ps_footprints *footprints, const struct ps_member *members,
		       size_t count, struct ps_row *groups, size_t group_count,
		       struct ps_row *total)
{
	struct grouping grouping = {
		.footprints = footprints,
		.members = members,
		.count = count,
		.groups = groups,
		.total = total,
	};

	if (!footprints->join) {
		for (size_t i = 0; i < group_count; i++)
			set_absent(&grouping, i, footprints->reason);
		return;
	}
	grouping.label = mem_alloc((footprints->reader->count + 1) * sizeof(grouping.label[0]));
	for (size_t i = 0; i <= footprints->reader->count; i++)
		grouping.label[i] = UINT32_MAX;
	for (size_t i = 0; i < count; i++)
		label_member(&grouping, &members[i]);
	roll_up(&grouping, group_count);
	free(grouping.label);
}

static void walk_item(struct ps_reader *reader, struct frame_join *join, struct same_mm *same_mm,
		      struct ps_item *item, uint32_t *index)
{
	struct frame_join_process process;

	*index = UINT32_MAX;
	if (reader->deadline && meter_now() >= reader->deadline)
		return;
	if (item->dir.fd < 0 && ps_reopen(reader, item))
		return;
	item->dir.root = &reader->ctx->root;
	meter_target(item->dir.root->meter);
	if (same_mm_check(same_mm, item->dir.pid, 0))
		return;
	if (frame_join_add(join, &item->dir, &process, NULL) == 0 && process.mappings &&
	    !process.changed)
		*index = process.index;
}

static void take_walk(const struct ps_reader *reader, const struct sharing_process *process,
		      struct ps_row *row)
{
	uint64_t page_size = reader->ctx->host.page_size;

	if (!process->crowded)
		ps_row_take_frames(row, (uint64_t)(process->pss * (double)page_size),
				   sharing_uss(process) * page_size);
}

static void walk_items(struct ps_reader *reader, const struct caps *caps, struct ps_item **items,
		       size_t count)
{
	struct frame_join *join = frame_join_new(reader->ctx, caps);
	uint32_t *index = mem_alloc(count * sizeof(*index));
	struct progress progress;
	struct same_mm same_mm;

	same_mm_init(&same_mm, &reader->ctx->root);
	progress_begin(&progress, "walking the pages of big processes");
	for (size_t i = 0; i < count; i++) {
		walk_item(reader, join, &same_mm, items[i], &index[i]);
		progress_show(&progress, i, count);
	}
	frame_join_finish(join);
	progress_end(&progress);
	for (size_t i = 0; i < count && !frame_join_no_counts(join); i++)
		if (index[i] != UINT32_MAX)
			take_walk(reader, sharing_process(frame_join_sharing(join), index[i]),
				  &items[i]->row);
	free(index);
	same_mm_fini(&same_mm);
	frame_join_free(join);
}

void ps_walk_big(struct ps_reader *reader, unsigned without)
{
	struct ps_item **items = mem_alloc((reader->count + 1) * sizeof(struct ps_item *));
	struct caps caps;
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++) {
		struct ps_item *item = &reader->items[i];

		if (item->done && !item->rc && item->left == PS_PACE && item->row.tally.sum.absent)
			items[count++] = item;
	}
	if (count) {
		caps_probe(&caps, &reader->ctx->root, without);
		if (!caps.reason[CAPS_FRAMES])
			walk_items(reader, &caps, items, count);
	}
	free(items);
}
