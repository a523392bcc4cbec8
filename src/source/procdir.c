/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "model/core.h"
#include "source/listing.h"
#include "source/meter.h"

static int open_core(struct procdir *dir, const struct root *root, int handle, struct error *err)
{
	const struct core *core = root->core;

	while (core && core->handle != handle)
		core = core->next;
	if (!core)
		return error_set(err, ESRCH, "no process %d in the core%s", handle,
				 root->core->next ? "s" : "");
	*dir = (struct procdir){
		.root = root, .core = core, .fd = -1, .pid = core->pid, .watch = -1
	};
	dir->name[num_u64(dir->name, (uint64_t)core->pid)] = '\0';
	return 0;
}

int procdir_open(struct procdir *dir, const struct root *root, int pid, struct error *err)
{
	char path[sizeof("proc/") + NUM_MAX] = "proc/", *name = path + strlen(path);
	int fd;

	if (root->core)
		return open_core(dir, root, pid, err);
	name[num_u64(name, (uint64_t)pid)] = '\0';
	fd = root_open_below(root, root->fd, O_PATH | O_DIRECTORY, path);
	if (fd == -ENOENT)
		return error_set(err, ESRCH, "no process %d", pid);
	if (fd < 0)
		return error_errno(err, -fd, "%s/%s", root->dir, path);
	*dir = (struct procdir){ .root = root, .fd = fd, .pid = pid, .watch = -1 };
	memcpy(dir->name, name, strlen(name) + 1);
	meter_target(root->meter);
	return 0;
}

/*
 * /proc/TID is not listed, but there, with all that task/TID has not: map_files, task. A number is used
 * again only once its thread is not below task any more.
 */
static int open_thread(const struct procdir *process, int tid, struct error *err)
{
	int own = procdir_openat(process, O_PATH | O_DIRECTORY, err, "task/%d", tid), fd, check;
	char path[sizeof("proc/") + NUM_MAX];

	if (own < 0 || process->root->recorded)
		return own;
	snprintf(path, sizeof(path), "proc/%d", tid);
	fd = root_open_below(process->root, process->root->fd, O_PATH | O_DIRECTORY, path);
	check = fd < 0 ? fd : procdir_openat(process, O_PATH | O_DIRECTORY, err, "task/%d", tid);
	if (check >= 0) {
		close(check);
		close(own);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return own;
}

int procdir_open_thread(struct procdir *dir, const struct procdir *process, int tid,
			struct error *err)
{
	int fd = open_thread(process, tid, err);

	if (fd < 0)
		return fd;
	*dir = (struct procdir){ .root = process->root, .fd = fd, .pid = process->pid, .watch = -1 };
	snprintf(dir->name, sizeof(dir->name), "%d/task/%d", process->pid, tid);
	return 0;
}

void procdir_close(struct procdir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	dir->fd = -1;
}

int procdir_open_file(const struct procdir *dir, int flags, const char *name)
{
	return root_open_below(dir->root, dir->fd, flags, name);
}

/* The same door as for all files, below the directory that is held open. */
static int open_below(const struct procdir *dir, int flags, struct error *err, const char *path)
{
	int fd = procdir_open_file(dir, flags, path);

	if (fd < 0)
		return error_errno(err, -fd, "%s/proc/%s/%s", dir->root->dir, dir->name, path);
	return fd;
}

int procdir_openat(const struct procdir *dir, int flags, struct error *err, const char *path_format,
		   ...)
{
	char path[256];
	va_list args;

	va_start(args, path_format);
	vsnprintf(path, sizeof(path), path_format, args);
	va_end(args);
	return open_below(dir, flags, err, path);
}

int procdir_read(const struct procdir *dir, struct arena *arena, struct bytes *out,
		 struct error *err, const char *path_format, ...)
{
	char path[256], name[320];
	va_list args;
	int fd, rc;

	va_start(args, path_format);
	vsnprintf(path, sizeof(path), path_format, args);
	va_end(args);
	fd = open_below(dir, O_RDONLY, err, path);
	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "/proc/%s/%s", dir->name, path);
	rc = root_read_fd(dir->root, fd, arena, out, err, name);
	close(fd);
	return rc;
}

int procdir_readlink(const struct procdir *dir, struct arena *arena, struct bytes *out,
		     struct error *err, const char *path)
{
	char text[PATH_MAX];
	ssize_t len;
	int fd;

	fd = open_below(dir, O_PATH | O_NOFOLLOW, err, path);
	if (fd < 0)
		return fd;
	len = readlinkat(fd, "", text, sizeof(text));
	if (len < 0) {
		int code = errno;

		close(fd);
		return error_errno(err, code, "%s/proc/%s/%s", dir->root->dir, dir->name, path);
	}
	close(fd);
	*out = arena_bytes(arena, (struct bytes){ text, (size_t)len });
	return 0;
}

int procdir_threads(const struct procdir *dir, struct arena *arena, int **tids, size_t *count,
		    struct error *err)
{
	int fd = open_below(dir, O_RDONLY | O_DIRECTORY, err, "task");

	if (fd < 0)
		return fd;
	*count = listing_numbers(fd, "", arena, tids);
	return 0;
}
