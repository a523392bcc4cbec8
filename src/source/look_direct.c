/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/look_direct.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "source/filecache.h"
#include "source/filelook_child.h"

/* statmount() is of Linux 6.8, and so is the id that it wants (include/uapi/linux/mount.h, stat.h). */
enum {
	NR_STATMOUNT = 457,
	WANT_MNT_ID_UNIQUE = 0x4000,
	WANT_SB_BASIC = 1,
	WANT_MNT_BASIC = 2,
	ATTR_NOATIME = 0x10,
	ATTR_STRICTATIME = 0x20,
};

struct mount_request {
	uint32_t size, spare;
	uint64_t id, want;
};

struct mount_told {
	uint32_t size, options;
	uint64_t told;
	uint32_t sb_dev_major, sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags, fs_type;
	uint64_t id, parent_id;
	uint32_t old_id, old_parent_id;
	uint64_t attr;
	uint64_t rest[54];
};

/*
 * relatime writes where the time of access is not behind those of changes, or is 24 hours old
 * (fs/inode.c, relatime_need_update()). One minute is for what happens meanwhile.
 */
enum { FRESH_SECONDS = 24 * 60 * 60 - 60 };

/* RESOLVE_CACHED: nothing that has to be read or asked for; by no link, and on this mount alone. */
enum { RESOLVE_BELOW = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_BENEATH };

static int open_cached(int dir_fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_NOFOLLOW | O_CLOEXEC, .resolve = resolve };

	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

/* Never asks a network file system. */
static bool stat_known(int fd, unsigned want, struct statx *st)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, want, st) == 0 &&
	       (st->stx_mask & want) == want;
}

static bool is_the_file(int fd, const struct look_request *request, struct statx *st)
{
	return stat_known(fd, STATX_BASIC_STATS, st) && st->stx_ino == request->inode &&
	       st->stx_dev_major == request->dev_major && st->stx_dev_minor == request->dev_minor &&
	       S_ISREG(st->stx_mode) && (st->stx_uid == 0 || st->stx_uid == geteuid());
}

/* The mount that the directory is on, where opening its files is known not to wait. */
static bool opens_at_once(int dir_fd, uint64_t *attr)
{
	struct mount_request request = {
		.size = sizeof(request),
		.want = WANT_SB_BASIC | WANT_MNT_BASIC,
	};
	struct mount_told mount;
	struct statx st;

	if (!stat_known(dir_fd, WANT_MNT_ID_UNIQUE, &st))
		return false;
	request.id = st.stx_mnt_id;
	if (syscall(NR_STATMOUNT, &request, &mount, sizeof(mount), 0) ||
	    (mount.told & request.want) != request.want)
		return false;
	*attr = mount.attr;
	return mount.sb_magic == EXT4_SUPER_MAGIC || mount.sb_magic == XFS_SUPER_MAGIC;
}

static bool is_before(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Whether reading leaves the time of access as it is. */
static bool spares_atime(uint64_t mount_attr, const struct statx *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return mount_attr & ATTR_NOATIME ||
	       (!(mount_attr & ATTR_STRICTATIME) && is_before(&st->stx_mtime, &st->stx_atime) &&
		is_before(&st->stx_ctime, &st->stx_atime) &&
		now.tv_sec - st->stx_atime.tv_sec < FRESH_SECONDS);
}

static int open_quietly(const struct look_dir *dir, const char *name, const struct statx *st)
{
	const uint64_t flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	int fd = open_cached(dir->fd, name, flags | O_NOATIME, RESOLVE_BELOW);

	if (fd < 0 && errno == EPERM && spares_atime(dir->mount_attr, st))
		fd = open_cached(dir->fd, name, flags, RESOLVE_BELOW);
	return fd;
}

/* The first bytes, if they are in memory: else -1. */
static ssize_t read_cached(int fd, char *head)
{
	const struct iovec room = { head, LOOK_HEAD };
	int cached = filecache_has_start(fd);

	if (cached != 1 && cached != -EPERM)
		return -1;
	return preadv2(fd, &room, 1, 0, RWF_NOWAIT);
}

/* Whether it is the file by its name now, before it is opened. */
static bool is_named(const struct look_dir *dir, const char *name,
		     const struct look_request *request, struct statx *st)
{
	int fd = open_cached(dir->fd, name, O_PATH, RESOLVE_BELOW);
	bool is_it;

	if (fd < 0)
		return false;
	is_it = is_the_file(fd, request, st);
	close(fd);
	return is_it;
}

static bool look_at_open(int fd, const struct look_request *request, struct look_reply *reply)
{
	char head[LOOK_HEAD];
	struct statx st;
	ssize_t len;

	if (!is_the_file(fd, request, &st))
		return false;
	len = read_cached(fd, head);
	if (len < 0)
		return false;
	*reply = look_of_head(head, (unsigned)len);
	look_identify(reply, &st);
	reply->opened = request->open && reply->type == LOOK_ELF;
	return true;
}

/* The directory of the file; most are in that of the file before. */
static bool enter(struct look_dir *dir, const char *path, size_t len)
{
	if (dir->fd >= 0 && len == dir->len && memcmp(path, dir->path, len) == 0)
		return dir->opens_at_once;
	look_dir_leave(dir);
	if (len >= sizeof(dir->path))
		return false;
	memcpy(dir->path, path, len);
	dir->path[len] = '\0';
	dir->len = len;
	dir->fd = open_cached(AT_FDCWD, dir->path, O_PATH | O_DIRECTORY,
			      RESOLVE_CACHED | RESOLVE_NO_SYMLINKS);
	dir->opens_at_once = dir->fd >= 0 && opens_at_once(dir->fd, &dir->mount_attr);
	return dir->opens_at_once;
}

void look_dir_leave(struct look_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	dir->fd = -1;
}

bool look_directly(struct look_dir *dir, const struct look_request *request, const char *path,
		   struct look_reply *reply, int *fd)
{
	const char *name = strrchr(path, '/');
	struct statx st;
	bool known;

	*fd = -1;
	if (request->deleted || path[0] != '/' || !request->dev_major ||
	    !enter(dir, path, (size_t)(name - path) + (name == path)) ||
	    !is_named(dir, name + 1, request, &st))
		return false;
	*fd = open_quietly(dir, name + 1, &st);
	if (*fd < 0)
		return false;
	known = look_at_open(*fd, request, reply);
	if (!known || !reply->opened) {
		close(*fd);
		*fd = -1;
	}
	return known;
}
