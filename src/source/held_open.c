/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/held_open.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/list.h"
#include "source/listing.h"
#include "source/meter.h"
#include "source/open_files.h"
#include "source/root.h"
#include "source/taskstat.h"

enum { LINK_BYTES = 4096, INFO_BYTES = 1024, BLOCK = 512 };

enum held_open_kind held_open_kind_of(struct bytes link)
{
	static const struct bytes starts[HELD_KINDS] = {
		[HELD_MEMFD] = BYTES_INIT("/memfd:"),
		[HELD_DMA_BUF] = BYTES_INIT("/dmabuf:"),
		[HELD_SOCKET] = BYTES_INIT("socket:["),
	};

	for (size_t kind = 0; kind < HELD_KINDS; kind++)
		if (bytes_start_with(link, starts[kind]))
			return (enum held_open_kind)kind;
	return HELD_KINDS;
}

static struct bytes read_info(const struct procdir *dir, int number, char *text)
{
	int fd = procdir_openat(dir, O_RDONLY, NULL, "fdinfo/%d", number);
	ssize_t len = fd < 0 ? -1 : meter_read(dir->root->meter, fd, text, INFO_BYTES);

	if (fd >= 0)
		close(fd);
	return (struct bytes){ text, len > 0 ? (size_t)len : 0 };
}

static struct number memfd_bytes(int links, const char *name, bool ours)
{
	struct stat stat;

	if (!ours || fstatat(links, name, &stat, 0))
		return (struct number){ "not known: not of the kernel's own tmpfs", 0 };
	return (struct number){ NULL, (uint64_t)stat.st_blocks * BLOCK };
}

/* One that is not known to be another has inode 0. */
static struct held_open look_at(const struct procdir *dir, int links, int number,
				enum held_open_kind kind, uint64_t shm_mount)
{
	struct held_open held = { .kind = kind };
	char text[INFO_BYTES], name[16];
	struct bytes info = read_info(dir, number, text);
	uint64_t mount = NO_SHM_MOUNT;

	snprintf(name, sizeof(name), "%d", number);
	open_file_parse(info, &mount, &held.inode);
	if (kind == HELD_MEMFD)
		held.bytes = memfd_bytes(links, name, mount != NO_SHM_MOUNT && mount == shm_mount);
	else if (kind == HELD_SOCKET || !status_u64(info, "size", &held.bytes.u))
		held.bytes.reason = "unsupported: fdinfo does not tell";
	return held;
}

static int by_inode(const void *one, const void *other)
{
	const struct held_open *a = one, *b = other;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

int held_open_read(const struct procdir *dir, uint64_t shm_mount, struct arena *arena,
		   struct held_open **out, size_t *count)
{
	char link[LINK_BYTES], name[16];
	int list_fd = procdir_openat(dir, O_RDONLY | O_DIRECTORY, NULL, "fd"), links, *fds;
	struct held_open *list = NULL;
	size_t found = 0, fd_count;

	if (list_fd < 0)
		return list_fd;
	links = procdir_openat(dir, O_PATH | O_DIRECTORY, NULL, "fd");
	fd_count = listing_numbers(list_fd, "", arena, &fds);
	if (links < 0)
		return links;
	list = arena_alloc(arena, (fd_count + 1) * sizeof(*list));
	for (size_t i = 0; i < fd_count; i++) {
		enum held_open_kind kind;
		ssize_t len;

		snprintf(name, sizeof(name), "%d", fds[i]);
		len = readlinkat(links, name, link, sizeof(link));
		kind = held_open_kind_of((struct bytes){ link, len < 0 ? 0 : (size_t)len });
		if (kind != HELD_KINDS)
			list[found++] = look_at(dir, links, fds[i], kind, shm_mount);
	}
	close(links);
	list_sort(list, found, sizeof(*list), by_inode);
	*out = list;
	*count = 0;
	for (size_t i = 0; i < found; i++)
		if (!*count || !list[i].inode || by_inode(&list[*count - 1], &list[i]))
			list[(*count)++] = list[i];
	return 0;
}
