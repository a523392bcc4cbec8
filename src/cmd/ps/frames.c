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
#include "engine/progress.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "source/facts.h"

static const char needs_frames[] = "denied: needs CAP_SYS_PTRACE and CAP_SYS_ADMIN";

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
};

/* Where the groups are known. */
struct grouping {
	const struct ps_footprints *footprints;
	const struct ps_member *members;
	size_t count;
	struct ps_row *groups, *total;
	uint32_t *label;		/* group of each process of the join */
};

/* The visit of an item: what is read of it now, and where it is in the list of those that are. */
struct joining {
	struct ps_footprints *footprints;
	const size_t *items;
	struct progress progress;
	size_t done, count;
	uint32_t index;
	const char *absent;
};

static int bind(void *ctx, struct visit *visit, struct error *err)
{
	struct joining *joining = ctx;

	(void)err;
	return frame_join_bind(joining->footprints->join, visit);
}

static int read_frames(void *ctx, struct visit *visit, struct error *err)
{
	struct joining *joining = ctx;
	struct frame_join_process process;
	int rc = frame_join_read(joining->footprints->join, visit, &process, err);

	joining->index = UINT32_MAX;
	joining->absent = NULL;
	if (visit->same_as || rc == -ESRCH || rc == -EAGAIN)
		return rc;
	if (rc)
		joining->absent = root_reason(visit->dir.root, rc, needs_frames);
	else
		joining->index = process.index;
	return 0;
}

static void take_frames(void *ctx, struct visit *visit)
{
	struct joining *joining = ctx;
	struct ps_footprints *footprints = joining->footprints;
	size_t at = joining->items[visit->item];
	struct joined *joined = &footprints->joined[at];

	progress_show(&joining->progress, ++joining->done, joining->count);
	footprints->reader->items[at].gone = visit->absent.kind == ABSENT_NONE;
	joined->same_as = visit->same_as;
	joined->absent = NULL;
	if (visit->absent.kind != ABSENT_NOT) {
		joined->absent = arena_strdup(&footprints->reader->arena, visit->absent.words);
	} else if (!visit->same_as) {
		joined->absent = joining->absent;
		joined->index = joining->index;
		if (!joining->absent)
			frame_join_keep(footprints->join);
	}
}

static bool is_in_time(void *ctx, struct visit *visit)
{
	const struct joining *joining = ctx;
	uint64_t deadline = joining->footprints->reader->deadline;

	(void)visit;
	return !deadline || meter_now() < deadline;
}

/* One that ended since its rollup was read has no frames: it is no part of the list any more. */
static void join_items(struct ps_footprints *footprints, const size_t *items, size_t count)
{
	struct ps_reader *reader = footprints->reader;
	struct joining joining = { .footprints = footprints, .items = items, .count = count };
	const struct targets targets = ps_targets_of(reader, items, count);
	const struct visitor visitor = {
		.command = "ps",
		.facts = FACT_STAT,
		.no_mappings = true,
		.quiet = reader->quiet,
		.deadline = reader->deadline,
		.wanted = is_in_time,
		.bind = bind,
		.read = read_frames,
		.done = take_frames,
	};
	bool all;

	progress_begin(&joining.progress, "joining the frames of processes");
	visit_targets(reader->ctx, &targets, &visitor, &joining, &reader->visits);
	progress_end(&joining.progress);
	all = is_in_time(&joining, NULL);
	for (size_t i = 0; i < count; i++)
		if (footprints->joined[items[i]].absent == reason_budget && all)
			reader->items[items[i]].gone = true;
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
	size_t *items, count = 0;

	footprints->reader = reader;
	footprints->reason = caps->reason[CAPS_FRAMES];
	if (footprints->reason)
		return footprints;
	footprints->joined = mem_zalloc((reader->count + 1) * sizeof(footprints->joined[0]));
	footprints->join = frame_join_new(reader->ctx, caps);
	items = mem_alloc((reader->count + 1) * sizeof(*items));
	for (size_t i = 0; i < reader->count; i++) {
		const struct ps_item *item = &reader->items[i];
		struct joined *joined = &footprints->joined[i];

		joined->index = UINT32_MAX;
		if (item->gone || !item->row.tally.mappings)
			continue;
		joined->absent = item->left == PS_STUCK ? item->row.tally.sum.absent :
							  reason_budget;
		if (item->left != PS_STUCK)
			items[count++] = i;
	}
	join_items(footprints, items, count);
	free(items);
	frame_join_finish(footprints->join);
	take_residents(footprints);
	return footprints;
}

void ps_footprints_free(struct ps_footprints *footprints)
{
	if (!footprints)
		return;
	frame_join_free(footprints->join);
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
