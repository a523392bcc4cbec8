/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ps_frames.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/sharing_pairs.h"
#include "base/arena.h"
#include "base/error.h"
#include "cmd/context.h"
#include "cmd/frame_join.h"
#include "cmd/progress.h"
#include "cmd/ps_groups.h"
#include "cmd/ps_read.h"

struct footprints {
	struct ps_reader *reader;
	struct frame_join *join;
	const struct ps_member *members;
	size_t count;
	struct ps_row *groups, *total;
	uint32_t *label;	/* group of each process of the join */
};

static void set_absent(struct footprints *footprints, size_t group, const char *reason)
{
	footprints->groups[group].fact[PS_FOOTPRINT] = value_absent(reason);
	footprints->total->fact[PS_FOOTPRINT] = value_absent(reason);
}

static size_t group_of_pid(const struct footprints *footprints, int pid)
{
	for (size_t i = 0; i < footprints->count; i++)
		if (footprints->members[i].row->fact[PS_PID].i == pid)
			return footprints->members[i].group;
	return SIZE_MAX;
}

static const char *reason_of(const struct root *root, int rc)
{
	if (rc == -ENOENT && root->recorded)
		return "not recorded";
	return rc == -EACCES || rc == -EPERM ? "denied: needs CAP_SYS_PTRACE and CAP_SYS_ADMIN" :
					       error_reason(rc);
}

/* A row is the first member of its item. */
static struct ps_item *item_of(const struct footprints *footprints, const struct ps_row *row)
{
	for (size_t low = 0, high = footprints->reader->count; low < high;) {
		size_t middle = (low + high) / 2;

		if (&footprints->reader->items[middle].row == row)
			return &footprints->reader->items[middle];
		if (&footprints->reader->items[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void join_member(struct footprints *footprints, const struct ps_member *member)
{
	struct ps_item *item = item_of(footprints, member->row);
	const struct ps_reader *reader = footprints->reader;
	struct frame_join_process process;
	int rc;

	if (!item || !item->row.tally.mappings)
		return;
	if (item->dir.fd < 0) {
		set_absent(footprints, member->group, "too many processes for our descriptors");
		return;
	}
	if (reader->deadline && meter_now() >= reader->deadline) {
		set_absent(footprints, member->group, "budget: the time was spent");
		return;
	}
	item->dir.root = &reader->ctx->root;
	meter_target(item->dir.root->meter);
	rc = frame_join_add(footprints->join, &item->dir, &process, NULL);
	if (rc && rc != -ESRCH)
		set_absent(footprints, member->group, reason_of(item->dir.root, rc));
	else if (process.same_as && group_of_pid(footprints, process.same_as) != member->group)
		set_absent(footprints, member->group, "has an address space with another group");
	else if (rc == 0 && !process.same_as && process.mappings)
		footprints->label[process.index] = (uint32_t)member->group;
}

static void join_all(struct footprints *footprints)
{
	struct progress progress;

	progress_begin(&progress, "joining the frames of processes");
	for (size_t i = 0; i < footprints->count; i++) {
		join_member(footprints, &footprints->members[i]);
		progress_show(&progress, i, footprints->count);
	}
	progress_end(&progress);
	frame_join_finish(footprints->join);
}

static void roll_up(struct footprints *footprints, size_t group_count)
{
	struct sharing *sharing = frame_join_sharing(footprints->join);
	uint64_t(*sum)[SHARE_KINDS] = mem_zalloc((group_count + 1) * sizeof(*sum));
	uint64_t page_size = footprints->reader->ctx->host.page_size;

	sharing_roll_up(sharing, footprints->label, sum, (uint32_t)group_count);
	for (size_t i = 0; i < group_count; i++) {
		struct value *fact = &footprints->groups[i].fact[PS_FOOTPRINT];

		if (!sharing_is_exact(sharing))
			*fact = value_absent("too many sets of processes");
		else if (fact->reason && !*fact->reason && footprints->groups[i].tally.mappings)
			*fact = value_u(share_sum(sum[i]) * page_size);
	}
	if (!*footprints->total->fact[PS_FOOTPRINT].reason)
		footprints->total->fact[PS_FOOTPRINT] =
			value_u(share_sum(sharing_total(sharing)->footprint) * page_size);
	free(sum);
}

void ps_add_footprints(struct ps_reader *reader, const struct caps *caps,
		       const struct ps_member *members, size_t count, struct ps_row *groups,
		       size_t group_count, struct ps_row *total)
{
	struct footprints footprints = {
		.reader = reader,
		.members = members,
		.count = count,
		.groups = groups,
		.total = total,
	};

	if (caps->reason[CAPS_FRAMES]) {
		for (size_t i = 0; i < group_count; i++)
			set_absent(&footprints, i, caps->reason[CAPS_FRAMES]);
		return;
	}
	footprints.label = mem_alloc((count + 1) * sizeof(footprints.label[0]));
	for (size_t i = 0; i <= count; i++)
		footprints.label[i] = UINT32_MAX;
	footprints.join = frame_join_new(reader->ctx, caps);
	join_all(&footprints);
	roll_up(&footprints, group_count);
	frame_join_free(footprints.join);
	free(footprints.label);
}

static void walk_item(struct ps_reader *reader, struct frame_join *join, struct ps_item *item,
		      uint32_t *index)
{
	struct frame_join_process process;

	*index = UINT32_MAX;
	if (reader->deadline && meter_now() >= reader->deadline)
		return;
	item->dir.root = &reader->ctx->root;
	meter_target(item->dir.root->meter);
	if (frame_join_add(join, &item->dir, &process, NULL) == 0 && !process.same_as &&
	    process.mappings && !process.changed)
		*index = process.index;
}

static void take_walk(const struct ps_reader *reader, const struct sharing_process *process,
		      struct ps_row *row)
{
	uint64_t page_size = reader->ctx->host.page_size;

	if (!process->crowded)
		ps_row_take_frames(row, (uint64_t)(process->pss * (double)page_size),
				   share_sum(process->exclusive) * page_size);
}

static void walk_items(struct ps_reader *reader, const struct caps *caps, struct ps_item **items,
		       size_t count)
{
	struct frame_join *join = frame_join_new(reader->ctx, caps);
	uint32_t *index = mem_alloc(count * sizeof(*index));
	struct progress progress;

	progress_begin(&progress, "walking the pages of big processes");
	for (size_t i = 0; i < count; i++) {
		walk_item(reader, join, items[i], &index[i]);
		progress_show(&progress, i, count);
	}
	frame_join_finish(join);
	progress_end(&progress);
	for (size_t i = 0; i < count && !frame_join_no_counts(join); i++)
		if (index[i] != UINT32_MAX)
			take_walk(reader, sharing_process(frame_join_sharing(join), index[i]),
				  &items[i]->row);
	free(index);
	frame_join_free(join);
}

void ps_walk_big(struct ps_reader *reader, unsigned without)
{
	struct ps_item **items = mem_alloc((reader->count + 1) * sizeof(struct ps_item *));
	struct caps caps;
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++) {
		struct ps_item *item = &reader->items[i];

		if (item->done && !item->rc && item->left == PS_PACE && item->dir.fd >= 0 &&
		    item->row.tally.sum.absent)
			items[count++] = item;
	}
	if (count) {
		caps_probe(&caps, &reader->ctx->root, without);
		if (!caps.reason[CAPS_FRAMES])
			walk_items(reader, &caps, items, count);
	}
	free(items);
}
