/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/rcfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"

/* Nothing is opened for good before it is known to be what it should: no FIFO blocks us. */
static int check(int fd, const char *path, size_t *size, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EPERM, "%s: not a regular file", path);
	if (st.st_uid != geteuid())
		return error_set(err, EPERM, "%s: belongs to another user", path);
	if (st.st_size > RCFILE_MAX)
		return error_set(err, EFBIG, "%s: too big", path);
	*size = (size_t)st.st_size;
	return 0;
}

static int read_whole(int fd, const char *path, char *to, size_t *size, struct error *err)
{
	size_t have = 0;

	while (have < *size) {
		ssize_t done = read(fd, to + have, *size - have);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_errno(err, errno, "%s", path);
		if (done == 0)
			break;
		have += (size_t)done;
	}
	*size = have;
	return 0;
}

int rcfile_read(const char *path, struct arena *arena, struct bytes *out, struct error *err)
{
	int rc, fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t size = 0;
	char *text;

	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	rc = check(fd, path, &size, err);
	if (rc == 0) {
		text = arena_alloc(arena, size + 1);
		rc = read_whole(fd, path, text, &size, err);
		if (rc == 0)
			*out = (struct bytes){ text, size };
	}
	close(fd);
	return rc;
}

static int write_whole(int fd, struct bytes text)
{
	while (text.len) {
		ssize_t done = write(fd, text.data, text.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text.data += done;
		text.len -= (size_t)done;
	}
	return 0;
}

int rcfile_create(const char *path, struct bytes text, struct error *err)
{
	int rc, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	rc = write_whole(fd, text);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		return 0;
	unlink(path);
	return error_errno(err, -rc, "%s", path);
}
