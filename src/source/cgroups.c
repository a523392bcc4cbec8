/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cgroups.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/num.h"
#include "source/listing.h"
#include "source/memcg.h"
#include "source/root.h"

enum { DEPTH_MAX = 64, DIRS_MAX = 1 << 20 };

void cgroups_init(struct cgroups *cgroups, const struct root *root, struct arena *arena)
{
	*cgroups = (struct cgroups){ .root = root, .arena = arena };
}

void cgroups_fini(struct cgroups *cgroups)
{
	free(cgroups->list);
	*cgroups = (struct cgroups){ 0 };
}

static void add(struct cgroups *cgroups, uint64_t inode, struct bytes path)
{
	cgroups->list =
		mem_room(cgroups->list, cgroups->count, &cgroups->cap, sizeof(*cgroups->list));
	cgroups->list[cgroups->count++] = (struct cgroup_path){ inode, path };
}

static int compare(const void *left, const void *right)
{
	const struct cgroup_path *a = left, *b = right;

	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* kernfs gives the inode with the entry, so that nothing has to be looked at twice. */
static void walk(struct cgroups *cgroups, int fd, const char *path, unsigned depth)
{
	struct root here = *cgroups->root;
	DIR *dir = listing_open(fd);
	struct dirent *entry;

	while (cgroups->count < DIRS_MAX && (entry = readdir(dir))) {
		char *below;
		int child;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = arena_printf(cgroups->arena, "%s/%s", path, entry->d_name);
		add(cgroups, entry->d_ino, bytes_of(below));
		here.fd = dirfd(dir);
		child = depth < DEPTH_MAX ? root_openat(&here, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
							NULL, "%s", entry->d_name) :
					    -1;
		if (child >= 0)
			walk(cgroups, child, below, depth + 1);
	}
	closedir(dir);
}

static void read_live(struct cgroups *cgroups)
{
	struct memcg_mount mount;
	struct stat st;
	int fd;

	memcg_find_mount(cgroups->root, cgroups->arena, &mount);
	if (!mount.dir.len)
		return;
	fd = root_openat(cgroups->root, O_RDONLY | O_DIRECTORY, NULL, "%.*s", (int)mount.dir.len,
			 mount.dir.data);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		add(cgroups, st.st_ino, BYTES("/"));
	walk(cgroups, fd, "", 0);
}

static void read_recorded(struct cgroups *cgroups)
{
	struct bytes text;
	const char *at, *end;

	if (root_read(cgroups->root, cgroups->arena, &text, NULL, "vmview/cgroups"))
		return;
	for (at = text.data, end = at + text.len; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		uint64_t inode;

		if (num_parse_dec(&at, stop, &inode) && at + 1 < stop && *at == ' ')
			add(cgroups, inode, (struct bytes){ at + 1, (size_t)(stop - at - 1) });
		at = stop + 1;
	}
}

static void read_all(struct cgroups *cgroups)
{
	cgroups->count = 0;
	if (cgroups->root->recorded)
		read_recorded(cgroups);
	else
		read_live(cgroups);
	if (cgroups->count)
		qsort(cgroups->list, cgroups->count, sizeof(*cgroups->list), compare);
}

void cgroups_list(struct cgroups *cgroups)
{
	if (!cgroups->reads++)
		read_all(cgroups);
}

struct bytes cgroups_path(struct cgroups *cgroups, uint64_t inode)
{
	const struct cgroup_path key = { .inode = inode };
	bool fresh = !inode;

	for (;;) {
		const struct cgroup_path *found = NULL;

		if (cgroups->count)
			found = bsearch(&key, cgroups->list, cgroups->count, sizeof(key), compare);
		if (found)
			return found->path;
		if (fresh || cgroups->reads == 2)
			return (struct bytes){ NULL, 0 };
		read_all(cgroups);
		cgroups->reads++;
		fresh = true;
	}
}
