/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/memory.h"
#include "source/listing.h"
#include "source/meter.h"
#include "source/root.h"

enum { PATH_BYTES = 4096, COPY_BYTES = 64 << 10, DEPTH_MAX = 64 };

static void fail(struct tree *tree, int code, const char *path)
{
	if (!tree->failed.code)
		error_errno(&tree->failed, code, "%s/%s", tree->path, path);
}

/* What is behind the last slash, or all of it. */
static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_parent(const char *path)
{
	char *dir = mem_alloc(strlen(path) + 2);
	size_t len = (size_t)(name_of(path) - path);
	int fd;

	memcpy(dir, len ? path : ".", len ? len : 1);
	dir[len ? len : 1] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return fd < 0 ? -errno : fd;
}

/* Made by us just now: nobody else has it open, nor put anything in its place. */
static int make_directory(struct tree *tree, struct error *err)
{
	const char *name = name_of(tree->path);
	struct stat st;

	if (mkdirat(tree->parent, name, 0700))
		return error_errno(err, errno, "%s", tree->path);
	tree->fd = openat(tree->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree->fd < 0)
		return error_errno(err, errno, "%s", tree->path);
	if (fstat(tree->fd, &st) || st.st_uid != geteuid())
		return error_set(err, EPERM, "%s: it was replaced", tree->path);
	return 0;
}

static void forget(struct tree *tree)
{
	if (tree->fd >= 0)
		close(tree->fd);
	if (tree->parent >= 0)
		close(tree->parent);
	free(tree->goal);
	free(tree->path);
	tree->goal = tree->path = NULL;
	tree->fd = tree->parent = -1;
}

int tree_begin(struct tree *tree, const char *goal, struct error *err)
{
	size_t len = strlen(goal);
	struct stat st;
	int rc;

	while (len > 1 && goal[len - 1] == '/')
		len--;
	*tree = (struct tree){ .fd = -1, .goal = mem_alloc(len + 1), .path = mem_alloc(len + 32) };
	memcpy(tree->goal, goal, len);
	tree->goal[len] = '\0';
	snprintf(tree->path, len + 32, "%s.tmp.%d", tree->goal, (int)getpid());
	tree->parent = open_parent(tree->goal);
	if (tree->parent < 0)
		rc = error_errno(err, -tree->parent, "%s", tree->goal);
	else if (fstatat(tree->parent, name_of(tree->goal), &st, AT_SYMLINK_NOFOLLOW) == 0)
		rc = error_set(err, EEXIST, "%s: is there already, and is not written over",
			       tree->goal);
	else
		rc = make_directory(tree, err);
	if (rc)
		forget(tree);
	else
		tree_file(tree, BYTES("\n"), "vmview/unfinished");
	return rc;
}

static int remove_in(int fd, unsigned depth)
{
	DIR *dir = listing_open(fd);
	struct dirent *entry;
	int rc = 0;

	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		int child;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    unlinkat(dirfd(dir), name, 0) == 0)
			continue;
		child = depth < DEPTH_MAX ?
				openat(dirfd(dir), name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) :
				-1;
		if (child >= 0)
			remove_in(child, depth + 1);
		if (unlinkat(dirfd(dir), name, AT_REMOVEDIR))
			rc = -errno;
	}
	closedir(dir);
	return rc;
}

int tree_remove(int fd, const char *name)
{
	int dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	remove_in(dir, 0);
	return unlinkat(fd, name, AT_REMOVEDIR) ? -errno : 0;
}

void tree_abandon(struct tree *tree)
{
	if (tree->path)
		tree_remove(tree->parent, name_of(tree->path));
	forget(tree);
}

int tree_commit(struct tree *tree, struct error *err)
{
	const char *name = name_of(tree->path), *goal = name_of(tree->goal);

	if (unlinkat(tree->fd, "vmview/unfinished", 0))
		fail(tree, errno, "vmview/unfinished");
	/* what the disk did not take is told here at the latest, for all files at once */
	if (!tree->failed.code && syncfs(tree->fd))
		fail(tree, errno, "");
	if (!tree->failed.code &&
	    renameat2(tree->parent, name, tree->parent, goal, RENAME_NOREPLACE))
		fail(tree, errno, goal);
	if (tree->failed.code) {
		int code = tree->failed.code;

		error_set(err, code, "%s", tree->failed.text);
		tree_abandon(tree);
		return -code;
	}
	fsync(tree->parent);
	forget(tree);
	return 0;
}

/* Make the directories on the way to path, which is below the tree and has no "..". */
static void make_way(struct tree *tree, const char *path)
{
	char dir[PATH_BYTES];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(dir, path, (size_t)(slash - path));
		dir[slash - path] = '\0';
		if (mkdirat(tree->fd, dir, 0700) && errno != EEXIST)
			return;
	}
}

static bool __attribute__((format(printf, 3, 0)))
path_of(struct tree *tree, char *path, const char *format, va_list args)
{
	if (tree->failed.code)
		return false;
	if (vsnprintf(path, PATH_BYTES, format, args) < PATH_BYTES)
		return true;
	fail(tree, ENAMETOOLONG, format);
	return false;
}

static int create(struct tree *tree, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(tree->fd, path, flags, 0600);

	if (fd < 0 && errno == ENOENT) {
		make_way(tree, path);
		fd = openat(tree->fd, path, flags, 0600);
	}
	if (fd < 0)
		fail(tree, errno, path);
	else
		tree->files++;
	return fd;
}

int tree_create(struct tree *tree, const char *path_format, ...)
{
	char path[PATH_BYTES];
	va_list args;
	bool ok;

	va_start(args, path_format);
	ok = path_of(tree, path, path_format, args);
	va_end(args);
	return ok ? create(tree, path) : -1;
}

void tree_write(struct tree *tree, int fd, const char *data, size_t len)
{
	while (len && fd >= 0 && !tree->failed.code) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			fail(tree, done ? errno : ENOSPC, "");
			return;
		}
		data += done;
		len -= (size_t)done;
		tree->bytes += (uint64_t)done;
	}
}

void tree_write_at(struct tree *tree, int fd, const char *data, size_t len, uint64_t offset)
{
	if (fd >= 0 && !tree->failed.code && lseek(fd, (off_t)offset, SEEK_SET) < 0)
		fail(tree, errno, "");
	tree_write(tree, fd, data, len);
}

void tree_size(struct tree *tree, int fd, uint64_t size)
{
	if (fd >= 0 && !tree->failed.code && ftruncate(fd, (off_t)size))
		fail(tree, errno, "");
}

void tree_close(struct tree *tree, int fd)
{
	if (fd >= 0 && close(fd))
		fail(tree, errno, "");
}

void tree_file(struct tree *tree, struct bytes text, const char *path_format, ...)
{
	char path[PATH_BYTES];
	va_list args;
	bool ok;
	int fd;

	va_start(args, path_format);
	ok = path_of(tree, path, path_format, args);
	va_end(args);
	fd = ok ? create(tree, path) : -1;
	tree_write(tree, fd, text.data, text.len);
	tree_close(tree, fd);
}

void tree_link(struct tree *tree, struct bytes target, const char *path_format, ...)
{
	char path[PATH_BYTES], *text;
	va_list args;
	bool ok;
	int rc;

	va_start(args, path_format);
	ok = path_of(tree, path, path_format, args);
	va_end(args);
	if (!ok)
		return;
	text = mem_alloc(target.len + 1);
	memcpy(text, target.data, target.len);
	text[target.len] = '\0';
	rc = symlinkat(text, tree->fd, path);
	if (rc && errno == ENOENT) {
		make_way(tree, path);
		rc = symlinkat(text, tree->fd, path);
	}
	if (rc)
		fail(tree, errno, path);
	free(text);
}

void tree_drop(struct tree *tree, const char *path_format, ...)
{
	char path[PATH_BYTES];
	va_list args;
	bool ok;

	va_start(args, path_format);
	ok = path_of(tree, path, path_format, args);
	va_end(args);
	if (ok && unlinkat(tree->fd, path, 0))
		tree_remove(tree->fd, path);
}

void tree_note_error(struct tree *tree, int rc, const char *to, const char *name)
{
	static const struct {
		int code;
		const char *name;
	} codes[] = {
		{ EACCES, "EACCES\n" },
		{ EPERM, "EPERM\n" },
		{ ESRCH, "ESRCH\n" },
		{ EIO, "EIO\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == -rc)
			tree_file(tree, bytes_of(codes[i].name), "%s%s%s.error", to, *to ? "/" : "",
				  name);
}

/* All of an open file. */
static int copy_fd(struct tree *tree, struct meter *meter, int fd, bool held, int out)
{
	char *buf = mem_alloc(COPY_BYTES);
	size_t len = 0;
	ssize_t done;

	/* the kernel gives a page a read, at most */
	do {
		done = held ? meter_read_held(meter, fd, buf + len, COPY_BYTES - len) :
			      meter_read(meter, fd, buf + len, COPY_BYTES - len);
		len += done > 0 ? (size_t)done : 0;
		if (done <= 0 || len == COPY_BYTES) {
			tree_write(tree, out, buf, len);
			len = 0;
		}
	} while (done > 0);
	free(buf);
	return (int)done;
}

static int copy(struct tree *tree, struct meter *meter, int fd, bool held, const char *to,
		const char *name)
{
	int out, rc;

	if (fd < 0) {
		tree_note_error(tree, fd, to, name);
		return fd;
	}
	out = tree_create(tree, "%s%s%s", to, *to ? "/" : "", name);
	if (out < 0) {
		close(fd);
		return 0;
	}
	rc = copy_fd(tree, meter, fd, held, out);
	close(fd);
	tree_close(tree, out);
	if (rc < 0) {
		tree_drop(tree, "%s%s%s", to, *to ? "/" : "", name);
		tree_note_error(tree, rc, to, name);
	}
	return rc;
}

int tree_copy(struct tree *tree, const struct procdir *dir, const char *name, bool held,
	      const char *to)
{
	return copy(tree, dir->root->meter, procdir_open_file(dir, O_RDONLY, name), held, to, name);
}

int tree_copy_machine(struct tree *tree, const struct root *root, const char *path)
{
	return copy(tree, root->meter, root_openat(root, O_RDONLY, NULL, "%s", path), false, "",
		    path);
}
