/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/open_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "source/listing.h"
#include "source/meter.h"
#include "source/root.h"
#include "source/taskstat.h"

enum { PATH_BYTES = 4096, INFO_BYTES = 512 };

bool open_file_parse(struct bytes text, uint64_t *mount, uint64_t *inode)
{
	return status_u64(text, "mnt_id", mount) && status_u64(text, "ino", inode);
}

int open_files_shm_mount(const struct root *root, struct arena *arena, uint64_t *mount)
{
	int fd = root->recorded ? -1 : memfd_create("vmview", MFD_CLOEXEC), rc;
	struct bytes text;
	uint64_t inode;

	if (fd < 0)
		return root->recorded ? -ENOENT : -errno;
	rc = root_read(root, arena, &text, NULL, "proc/self/fdinfo/%d", fd);
	if (rc == 0 && !open_file_parse(text, mount, &inode))
		rc = -ENODATA;
	close(fd);
	return rc;
}

/* A path of something that may be a regular file. */
static bool is_file(struct bytes link)
{
	return link.len && *link.data == '/' &&
	       (!bytes_start_with(link, BYTES("/dev/")) ||
		bytes_start_with(link, BYTES("/dev/shm/")));
}

static bool read_info(const struct procdir *dir, struct open_file *file)
{
	char text[INFO_BYTES];
	ssize_t len;
	int fd = procdir_openat(dir, O_RDONLY, NULL, "fdinfo/%d", file->fd);

	if (fd < 0)
		return false;
	len = meter_read(dir->root->meter, fd, text, sizeof(text));
	close(fd);
	return len > 0 &&
	       open_file_parse((struct bytes){ text, (size_t)len }, &file->mount, &file->inode);
}

int open_files_read(const struct procdir *dir, struct arena *arena, open_file_sink sink, void *ctx)
{
	char path[PATH_BYTES], name[16];
	int list_fd = procdir_openat(dir, O_RDONLY | O_DIRECTORY, NULL, "fd"), links_fd, *fds;
	size_t count;

	if (list_fd < 0)
		return list_fd;
	links_fd = procdir_openat(dir, O_PATH | O_DIRECTORY, NULL, "fd");
	count = listing_numbers(list_fd, "", arena, &fds);
	for (size_t i = 0; links_fd >= 0 && i < count; i++) {
		struct open_file file = { .fd = fds[i] };
		ssize_t len;

		snprintf(name, sizeof(name), "%d", fds[i]);
		len = readlinkat(links_fd, name, path, sizeof(path));
		file.path = (struct bytes){ path, len < 0 ? 0 : (size_t)len };
		if (is_file(file.path) && read_info(dir, &file))
			sink(ctx, &file);
	}
	if (links_fd < 0)
		return links_fd;
	close(links_fd);
	return 0;
}
