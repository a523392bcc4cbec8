/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/memory.h"
#include "cmd/record/record.h"
#include "engine/context.h"
#include "source/cgroups.h"
#include "source/host.h"
#include "source/listing.h"
#include "source/memcg.h"
#include "source/root.h"
#include "source/shm.h"
#include "source/swaps.h"
#include "source/users.h"

static const char *const machine_files[] = {
	"proc/buddyinfo",
	"proc/cgroups",
	"proc/meminfo",
	"proc/self/mountinfo",
	"proc/swaps",
	"proc/sys/kernel/numa_balancing",
	"proc/sys/kernel/osrelease",
	"proc/sys/vm/compact_unevictable_allowed",
	"proc/sys/vm/max_map_count",
	"proc/version",
	"proc/vmstat",
	"proc/zoneinfo",
	"sys/devices/system/cpu/online",
	"sys/devices/system/memory/block_size_bytes",
	"sys/devices/system/node/online",
};

/* For each entry of a directory, if it is there: its path, in the run's arena. */
typedef void (*entry_sink)(struct record_run *run, const struct dirent *entry, const char *path);

static void each_entry(struct record_run *run, const char *path, entry_sink take)
{
	int fd = root_openat(&run->ctx->root, O_RDONLY | O_DIRECTORY, NULL, "%s", path);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return;
	dir = listing_open(fd);
	while ((entry = readdir(dir)))
		take(run, entry, arena_printf(&run->arena, "%s/%s", path, entry->d_name));
	closedir(dir);
}

static void copy_plain(struct record_run *run, const struct dirent *entry, const char *path)
{
	if (entry->d_type == DT_REG)
		tree_copy_machine(&run->tree, &run->ctx->root, path);
}

/* The plain files of hugepages-2048kB, hugepages-1048576kB, .. */
static void copy_size(struct record_run *run, const struct dirent *entry, const char *path)
{
	if (bytes_start_with(bytes_of(entry->d_name), BYTES("hugepages-")))
		each_entry(run, path, copy_plain);
}

/* Which frames are there, and on which node: the names say it, and what is offline says so. */
static void copy_blocks(struct record_run *run, int node)
{
	const struct root *root = &run->ctx->root;
	int fd = root_openat(root, O_RDONLY | O_DIRECTORY, NULL, "sys/devices/system/node/node%d",
			     node),
	    *blocks;
	size_t count = fd < 0 ? 0 : listing_numbers(fd, "memory", &run->arena, &blocks);

	for (size_t i = 0; i < count; i++) {
		uint64_t online = 1;
		char path[80];

		tree_file(&run->tree, BYTES(""), "sys/devices/system/node/node%d/memory%d", node,
			  blocks[i]);
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%d/online",
			 blocks[i]);
		if (root_read_u64(root, 10, &online, "%s", path) == 0 && !online)
			tree_copy_machine(&run->tree, root, path);
	}
}

static void copy_nodes(struct record_run *run)
{
	int fd = root_openat(&run->ctx->root, O_RDONLY | O_DIRECTORY, NULL,
			     "sys/devices/system/node"),
	    *nodes;
	size_t count = fd < 0 ? 0 : listing_numbers(fd, "node", &run->arena, &nodes);

	for (size_t i = 0; i < count; i++) {
		char path[80];

		snprintf(path, sizeof(path), "sys/devices/system/node/node%d/cpulist", nodes[i]);
		tree_copy_machine(&run->tree, &run->ctx->root, path);
		snprintf(path, sizeof(path), "sys/devices/system/node/node%d/hugepages", nodes[i]);
		each_entry(run, path, copy_size);
		if (run->options.frames)
			copy_blocks(run, nodes[i]);
	}
}

/* A group above several is met several times; what can not be read, as of the top one, is not there. */
static void copy_once(struct record_run *run, const char *path)
{
	if (faccessat(run->tree.fd, path, F_OK, AT_SYMLINK_NOFOLLOW))
		tree_copy_machine(&run->tree, &run->ctx->root, path);
}

static void copy_of_group(struct record_run *run, const struct dirent *entry, const char *path)
{
	static const struct bytes starts[] = { BYTES_INIT("memory."), BYTES_INIT("cgroup.stat"),
					       BYTES_INIT("cgroup.procs"),
					       BYTES_INIT("pids.current") };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (bytes_start_with(bytes_of(entry->d_name), starts[i]))
			copy_once(run, path);
}

static void copy_group(struct record_run *run, const struct memcg_mount *mount, struct bytes path)
{
	each_entry(run,
		   arena_printf(&run->arena, "%.*s%s%.*s", (int)mount->dir.len, mount->dir.data,
				path.len && *path.data == '/' ? "" : "/", (int)path.len, path.data),
		   copy_of_group);
}

static bool is_new_group(const struct record_run *run, struct bytes path)
{
	for (size_t i = 0; i < run->group_count; i++)
		if (bytes_equal(run->groups[i], path))
			return false;
	return true;
}

/* What the groups of these processes are charged for, and those above them. */
static void copy_groups(struct record_run *run)
{
	struct memcg_mount mount;

	memcg_find_mount(&run->ctx->root, &run->arena, &mount);
	for (size_t i = 0; mount.dir.len && i < run->count; i++) {
		struct bytes path = memcg_path_below(&mount, run->list[i].cgroup);

		if (!path.len || !is_new_group(run, path))
			continue;
		run->groups = mem_room(run->groups, run->group_count, &run->group_cap,
				       sizeof(run->groups[0]));
		run->groups[run->group_count++] = path;
		for (size_t len = path.len; len; len--)
			if (len == path.len || path.data[len] == '/')
				copy_group(run, &mount, (struct bytes){ path.data, len });
	}
}

static void write_cgroups(struct record_run *run)
{
	struct cgroups cgroups;
	struct out out;

	cgroups_init(&cgroups, &run->ctx->root, &run->arena);
	cgroups_list(&cgroups);
	out_init_memory(&out);
	for (size_t i = 0; i < cgroups.count; i++) {
		const struct cgroup_path *group = &cgroups.list[i];

		/* a name with a newline has no place in lines */
		if (memchr(group->path.data, '\n', group->path.len))
			continue;
		out_u64(&out, group->inode);
		out_char(&out, ' ');
		out_mem(&out, group->path.data, group->path.len);
		out_char(&out, '\n');
	}
	tree_file(&run->tree, (struct bytes){ out.buf, out.len }, "vmview/cgroups");
	out_fini(&out);
	cgroups_fini(&cgroups);
}

static void write_host(struct record_run *run)
{
	struct host_paging paging;
	struct swaps swaps;
	struct out out;
	char time[40];
	struct tm utc;
	uint32_t minor;

	out_init_memory(&out);
	if (gmtime_r(&run->real.tv_sec, &utc) &&
	    strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &utc))
		out_printf(&out, "time %s\n", time);
	out_printf(&out, "page_size %zu\n", run->ctx->host.page_size);
	host_paging_read(&run->ctx->root, &run->arena, &paging);
	if (paging.machine)
		out_printf(&out, "machine %s\n", paging.machine);
	if (paging.user_bits)
		out_printf(&out, "user_bits %u\n", paging.user_bits);
	if (shm_device(&run->ctx->root, &minor, NULL) == 0)
		out_printf(&out, "shm_minor %u\n", minor);
	swaps_load(&run->ctx->root, &run->arena, &swaps);
	if (!swaps.in_use)
		out_str(&out, "swap unused\n");
	tree_file(&run->tree, (struct bytes){ out.buf, out.len }, "vmview/host");
	out_fini(&out);
}

static void write_caps(struct record_run *run)
{
	struct out out;

	out_init_memory(&out);
	out_printf(&out, "soft-dirty %s\n", caps_has(&run->caps, CAPS_SOFT_DIRTY) ? "yes" : "no");
	if (run->options.frames)
		out_printf(&out, "page-counts %s\nframes some\n", run->average ? "no" : "yes");
	if (run->options.frames && run->caps.zero_pfn)
		out_printf(&out, "zero-pfn %llu\n", (unsigned long long)run->caps.zero_pfn);
	tree_file(&run->tree, (struct bytes){ out.buf, out.len }, "vmview/caps");
	out_fini(&out);
}

/* The names of the users whose processes these are: of no others, and nothing else of them. */
static void write_users(struct record_run *run)
{
	struct users users;
	struct out out;

	users_init(&users, &run->ctx->root, &run->arena);
	out_init_memory(&out);
	for (size_t i = 0; i < run->count; i++) {
		const struct recorded *recorded = &run->list[i];
		struct bytes name;
		bool known = !recorded->uid_known;

		for (size_t k = 0; k < i && !known; k++)
			known = run->list[k].uid_known && run->list[k].uid == recorded->uid;
		if (known)
			continue;
		name = users_name(&users, recorded->uid);
		if (!name.len)
			continue;
		out_mem(&out, name.data, name.len);
		out_printf(&out, ":x:%u:\n", recorded->uid);
	}
	tree_file(&run->tree, (struct bytes){ out.buf, out.len }, "etc/passwd");
	out_fini(&out);
	users_fini(&users);
}

void record_machine(struct record_run *run)
{
	for (size_t i = 0; i < ARRAY_SIZE(machine_files); i++)
		tree_copy_machine(&run->tree, &run->ctx->root, machine_files[i]);
	each_entry(run, "sys/kernel/mm/transparent_hugepage", copy_plain);
	each_entry(run, "sys/kernel/mm/transparent_hugepage", copy_size);
	each_entry(run, "sys/kernel/mm/transparent_hugepage/khugepaged", copy_plain);
	each_entry(run, "sys/kernel/mm/hugepages", copy_size);
	copy_nodes(run);
	copy_groups(run);
	write_cgroups(run);
	write_host(run);
	write_caps(run);
	write_users(run);
}
