/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cgroup/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/cgroup_name.h"
#include "base/arena.h"
#include "base/error.h"
#include "source/nodes.h"

static int compare_inodes(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static int compare_pids(const void *left, const void *right)
{
	const int *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static void add_processes(struct group *group, struct bytes path)
{
	struct context *ctx = group->view->ctx;
	int *pids;
	size_t count;

	if (memcg_processes(&ctx->root, &group->view->mount, path, &ctx->arena, &pids, &count))
		return;
	group->pids = mem_grow(group->pids, group->pid_count + count + 1, sizeof(group->pids[0]));
	if (count)
		memcpy(group->pids + group->pid_count, pids, count * sizeof(pids[0]));
	group->pid_count += count;
}

/* The group and all below: their inodes and processes. */
static void find_members(struct group *group)
{
	const struct cgroups *cgroups = &group->view->cgroups;

	group->inodes = mem_alloc((cgroups->count + 1) * sizeof(group->inodes[0]));
	for (size_t i = 0; i < cgroups->count; i++) {
		if (!cgroup_is_below(cgroups->list[i].path, group->path))
			continue;
		group->inodes[group->inode_count++] = cgroups->list[i].inode;
		add_processes(group, cgroups->list[i].path);
	}
	if (group->inode_count)
		qsort(group->inodes, group->inode_count, sizeof(group->inodes[0]), compare_inodes);
	if (group->pid_count)
		qsort(group->pids, group->pid_count, sizeof(group->pids[0]), compare_pids);
}

static bool is_child(struct bytes path, struct bytes above)
{
	return path.len > 1 && cgroup_is_below(path, above) &&
	       cgroup_depth(path) == cgroup_depth(above) + 1;
}

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

/*
 * Counters of a removed group stay in those of the groups above it: what the group has, less what it has
 * itself and what those have that are there, is of removed ones. cgroup v2 does not tell what a group has
 * itself, which is next to nothing as long as it has groups below and no process.
 */
static void find_removed(struct group *group, size_t own_processes)
{
	struct cgroup_view *view = group->view;
	const struct memcg_stat *stat = &group->memcg.stat;
	uint64_t anon = memcg_value(stat, MEMCG_OWN_ANON), file = memcg_value(stat, MEMCG_OWN_FILE);
	uint64_t shm = memcg_value(stat, MEMCG_OWN_SHMEM);
	bool v1 = view->mount.version == MEMCG_V1;
	size_t children = 0;

	for (size_t i = 0; i < view->cgroups.count; i++) {
		struct memcg child;

		if (!is_child(view->cgroups.list[i].path, group->path) ||
		    memcg_read(&view->ctx->root, &view->mount, view->cgroups.list[i].path,
			       MEMCG_WANT_STAT, &view->ctx->arena, &child, NULL))
			continue;
		children++;
		anon += memcg_value(&child.stat, MEMCG_ANON);
		file += memcg_value(&child.stat, MEMCG_FILE);
		shm += memcg_value(&child.stat, MEMCG_SHMEM);
	}
	group->removed = (struct group_removed){
		.reason = group->memcg.stat_reason ?
				  group->memcg.stat_reason :
			  v1 || (children && !own_processes) ?
				  NULL :
				  "unsupported: cgroup v2 does not tell it from the group's own",
		.anonymous = less(memcg_value(stat, MEMCG_ANON), anon),
		.shm = less(memcg_value(stat, MEMCG_SHMEM), shm),
		.file = less(less(memcg_value(stat, MEMCG_FILE), file),
			     less(memcg_value(stat, MEMCG_SHMEM), shm)),
	};
}

static void read_above(struct group *group)
{
	struct cgroup_view *view = group->view;
	struct bytes path = group->path;

	group->above =
		arena_zalloc(&view->ctx->arena, (cgroup_depth(path) + 1) * sizeof(group->above[0]));
	while (path.len > 1) {
		const char *slash = memrchr(path.data, '/', path.len);

		path.len = slash > path.data ? (size_t)(slash - path.data) : 1;
		if (memcg_read(&view->ctx->root, &view->mount, path,
			       MEMCG_WANT_STAT | MEMCG_WANT_LIMITS, &view->ctx->arena,
			       &group->above[group->above_count], NULL) == 0)
			group->above_count++;
	}
}

static unsigned cpus_online(struct context *ctx)
{
	struct number_range *ranges;
	struct bytes text;
	unsigned cpus = 0;
	int count;

	if (root_read(&ctx->root, &ctx->arena, &text, NULL, "sys/devices/system/cpu/online"))
		return 0;
	count = number_list_parse(text, &ctx->arena, &ranges);
	for (int i = 0; i < count; i++)
		cpus += ranges[i].last - ranges[i].first + 1;
	return cpus;
}

/* Frames that kpagecgroup says are charged to the group or one below. */
static void read_frames(struct group *group)
{
	const struct machine_wants wants = { .cgroups = true };
	struct machine *machine = &group->machine;
	uint64_t page_size = group->view->ctx->host.page_size;

	machine_read(machine, group->view->ctx, &wants);
	group->frames_reason = machine->flags_reason ? machine->flags_reason :
						       machine->cgroups_reason;
	for (size_t i = 0; !group->frames_reason && i < machine->cgroups.count; i++) {
		const struct frame_owner *owner = &machine->cgroups.list[i];

		if (!owner->owner || !bsearch(&owner->owner, group->inodes, group->inode_count,
					      sizeof(group->inodes[0]), compare_inodes))
			continue;
		for (unsigned class = 0; class < FRAME_CLASSES; class ++) {
			enum charge_class charge = charge_of_frames((enum frame_class) class);

			if (charge < CHARGE_CLASSES)
				group->frames[charge] += owner->frames[class] * page_size;
		}
		group->file_mapped += owner->frames[FRAME_FILE_MAPPED] * page_size;
	}
}

static struct bytes path_of(void *opaque, uint64_t inode)
{
	struct cgroup_view *view = opaque;

	return cgroups_path(&view->cgroups, inode);
}

static void read_processes(struct group *group)
{
	struct cgroup_view *view = group->view;
	const struct payer_group payer_group = {
		group->path, group->inodes, group->inode_count, path_of, view,
	};
	struct caps caps;

	caps_probe(&caps, &view->ctx->root, 0);
	payers_init(&group->payers, view->ctx, &caps);
	payers_read(&group->payers, &payer_group, group->pids, group->pid_count, true);
}

int cgroup_write_group(struct cgroup_view *view, struct bytes path, struct error *err)
{
	struct group *group = arena_zalloc(&view->ctx->arena, sizeof(*group));
	struct context *ctx = view->ctx;
	size_t own;
	int rc, *pids;

	group->view = view;
	group->path = path;
	rc = memcg_read(&ctx->root, &view->mount, path, MEMCG_WANT_ALL, &ctx->arena, &group->memcg,
			err);
	if (rc)
		return rc;
	if (memcg_processes(&ctx->root, &view->mount, path, &ctx->arena, &pids, &own))
		own = 0;
	charge_reconcile(&group->memcg, &group->charges);
	group->reclaim = charge_reclaim(&group->memcg);
	group->reserve = charge_reserve(cpus_online(ctx), ctx->host.page_size);
	find_removed(group, own);
	read_above(group);
	find_members(group);
	read_frames(group);
	read_processes(group);
	group_write(group);
	payers_fini(&group->payers);
	machine_fini(&group->machine);
	free(group->inodes);
	free(group->pids);
	return 0;
}
