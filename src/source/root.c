/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/num.h"
#include "source/meter.h"

enum { PATH_TEXT = 4096, READ_FIRST = 4096, MANIFEST_HEAD = 255 };

/* By its manifest; a tree that was made by hand has none. */
static bool is_newer(int dir_fd)
{
	static const char key[] = "\"recording\":";
	int fd = openat(dir_fd, "manifest.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char head[MANIFEST_HEAD + 1];
	const char *found;
	ssize_t len;

	if (fd < 0)
		return false;
	len = pread(fd, head, MANIFEST_HEAD, 0);
	close(fd);
	head[len > 0 ? len : 0] = '\0';
	found = strstr(head, key);
	return found && strtoul(found + strlen(key), NULL, 10) > RECORDING_VERSION;
}

int root_open(struct root *root, const char *dir, struct meter *meter, struct error *err)
{
	int fd = open(dir ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "%s", dir);
	if (dir && faccessat(fd, "vmview/unfinished", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		close(fd);
		return error_set(err, EPROTO, "%s: the recording was not finished", dir);
	}
	if (dir && is_newer(fd)) {
		close(fd);
		return error_set(err, EPROTO, "%s: the recording is of a newer vmview", dir);
	}
	*root = (struct root){ .fd = fd, .dir = dir ? dir : "", .recorded = dir, .meter = meter };
	return 0;
}

void root_of_core(struct root *root, const struct core *core, const struct root *files)
{
	*root = (struct root){
		.fd = -1,
		.dir = "core",
		.recorded = true,
		.meter = files->meter,
		.core = core,
		.files = files,
	};
}

void root_close(struct root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}

/*
 * For kernels before 5.6 (and valgrind), which do not have openat2: directory by directory, and no
 * link is followed at all. Returns a descriptor, or -1 and errno.
 */
static int open_without_links(int dir_fd, const char *path, int flags)
{
	int at = dir_fd, next = -1;

	for (;;) {
		size_t len = strcspn(path, "/");
		bool last = !path[len];
		char name[256];

		if (len >= sizeof(name) || (len == 2 && memcmp(path, "..", 2) == 0)) {
			errno = ELOOP;
			break;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		next = openat(at, name,
			      last ? flags | O_NOFOLLOW :
				     O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (last || next < 0)
			break;
		if (at != dir_fd)
			close(at);
		at = next;
		next = -1;
		path += len + 1;
	}
	if (at != dir_fd) {
		int code = errno;

		close(at);
		errno = code;
	}
	return next;
}

/* In a recording a FIFO or device must neither block nor act: only regular files and directories. */
static int open_recorded(int dir_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC |
				    (flags & O_PATH ? 0 : O_NOCTTY | O_NONBLOCK)),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0 && errno == ENOSYS)
		fd = open_without_links(dir_fd, path, (int)how.flags);
	if (fd < 0 || flags & O_PATH)
		return fd < 0 ? -errno : fd;
	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return fd;
	close(fd);
	return -EINVAL;
}

/*
 * A file that could not be read when the tree was recorded: NAME.error holds the name of the errno.
 * Returns it negative, -ENOENT where there is no such file.
 */
static int recorded_error(int dir_fd, const char *path)
{
	static const struct {
		const char *name;
		int code;
	} codes[] = {
		{ "EACCES", EACCES },
		{ "EPERM", EPERM },
		{ "ESRCH", ESRCH },
		{ "EIO", EIO },
	};
	char name[PATH_TEXT + 8], text[16] = "";
	ssize_t len;
	int fd;

	snprintf(name, sizeof(name), "%s.error", path);
	fd = open_recorded(dir_fd, name, O_RDONLY);
	if (fd < 0)
		return -ENOENT;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	for (size_t i = 0; len > 0 && i < ARRAY_SIZE(codes); i++)
		if (strncmp(text, codes[i].name, strlen(codes[i].name)) == 0)
			return -codes[i].code;
	return -ENOENT;
}

int root_open_below(const struct root *root, int dir_fd, int flags, const char *path)
{
	int fd;

	if (root->core)
		return -ENOENT;
	root->meter->files++;
	if (root->recorded) {
		fd = open_recorded(dir_fd, path, flags);
		return fd == -ENOENT ? recorded_error(dir_fd, path) : fd;
	}
	fd = openat(dir_fd, path, flags | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int __attribute__((format(printf, 4, 0)))
vopen(const struct root *root, int flags, struct error *err, const char *format, va_list args)
{
	char path[PATH_TEXT];
	int fd;

	if (vsnprintf(path, sizeof(path), format, args) >= (int)sizeof(path))
		return error_errno(err, ENAMETOOLONG, "%s", format);
	fd = root_open_below(root, root->fd, flags, path);
	if (fd < 0)
		return error_errno(err, -fd, "%s/%s", root->dir, path);
	return fd;
}

int root_openat(const struct root *root, int flags, struct error *err, const char *path_format, ...)
{
	va_list args;
	int fd;

	va_start(args, path_format);
	fd = vopen(root, flags, err, path_format, args);
	va_end(args);
	return fd;
}

int root_read_fd(const struct root *root, int fd, struct arena *arena, struct bytes *out,
		 struct error *err, const char *name)
{
	size_t cap = READ_FIRST, len = 0;
	char *buf = mem_alloc(cap);
	ssize_t done;

	while ((done = meter_read(root->meter, fd, buf + len, cap - len)) > 0) {
		len += (size_t)done;
		if (len >= ROOT_FILE_MAX) {
			done = -EFBIG;
			break;
		}
		if (len == cap)
			buf = mem_grow(buf, cap *= 2, 1);
	}
	if (done < 0) {
		free(buf);
		return error_errno(err, (int)-done, "%s%s", root->dir, name);
	}
	*out = arena_bytes(arena, (struct bytes){ buf, len });
	free(buf);
	return 0;
}

int root_read(const struct root *root, struct arena *arena, struct bytes *out, struct error *err,
	      const char *path_format, ...)
{
	char path[PATH_TEXT];
	va_list args;
	int fd, rc;

	va_start(args, path_format);
	vsnprintf(path, sizeof(path), path_format, args);
	va_end(args);
	fd = root_openat(root, O_RDONLY, err, "%s", path);
	if (fd < 0)
		return fd;
	rc = root_read_fd(root, fd, arena, out, err, path);
	close(fd);
	return rc;
}

int root_read_u64(const struct root *root, unsigned base, uint64_t *out, const char *path_format,
		  ...)
{
	char text[64];
	const char *at = text;
	ssize_t done;
	va_list args;
	int fd;

	va_start(args, path_format);
	fd = vopen(root, O_RDONLY, NULL, path_format, args);
	va_end(args);
	if (fd < 0)
		return fd;
	done = meter_read(root->meter, fd, text, sizeof(text));
	close(fd);
	if (done < 0)
		return (int)done;
	if (base == 16 ? !num_parse_hex(&at, text + done, out) :
			 !num_parse_dec(&at, text + done, out))
		return -EPROTO;
	return 0;
}

const char *root_reason(const struct root *root, int rc, const char *denied)
{
	if (rc == -ENOENT && root->recorded)
		return "not recorded";
	return denied && (rc == -EACCES || rc == -EPERM) ? denied : error_reason(rc);
}
