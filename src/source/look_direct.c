/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/look_direct.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
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

static int open_cached(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* Nothing is asked of statx() that a network file system would have to find out first. */
static bool is_the_file(int path_fd, const struct look_request *request, struct statx *st)
{
	const unsigned want = STATX_TYPE | STATX_INO | STATX_UID | WANT_MNT_ID_UNIQUE;

	return statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, want, st) == 0 &&
	       (st->stx_mask & want) == want && st->stx_ino == request->inode &&
	       st->stx_dev_major == request->dev_major && st->stx_dev_minor == request->dev_minor &&
	       S_ISREG(st->stx_mode) && (st->stx_uid == 0 || st->stx_uid == geteuid());
}

static bool opens_at_once(uint64_t mount_id, struct mount_told *mount)
{
	const struct mount_request request = {
		.size = sizeof(request),
		.id = mount_id,
		.want = WANT_SB_BASIC | WANT_MNT_BASIC,
	};

	return syscall(NR_STATMOUNT, &request, mount, sizeof(*mount), 0) == 0 &&
	       (mount->told & request.want) == request.want &&
	       (mount->sb_magic == EXT4_SUPER_MAGIC || mount->sb_magic == XFS_SUPER_MAGIC);
}

static bool is_before(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Whether reading leaves the time of access as it is. */
static bool spares_atime(const struct mount_told *mount, const struct statx *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return mount->attr & ATTR_NOATIME ||
	       (!(mount->attr & ATTR_STRICTATIME) && is_before(&st->stx_mtime, &st->stx_atime) &&
		is_before(&st->stx_ctime, &st->stx_atime) &&
		now.tv_sec - st->stx_atime.tv_sec < FRESH_SECONDS);
}

static int open_quietly(int path_fd, const struct mount_told *mount, const struct statx *st)
{
	int fd = look_reopen(path_fd, O_NOATIME);

	if (fd < 0 && errno == EPERM && spares_atime(mount, st))
		fd = look_reopen(path_fd, 0);
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

static bool look_at_path(int path_fd, const struct look_request *request, struct look_reply *reply,
			 int *fd)
{
	struct mount_told mount;
	char head[LOOK_HEAD];
	struct statx st;
	ssize_t len;

	if (!is_the_file(path_fd, request, &st) || !opens_at_once(st.stx_mnt_id, &mount) ||
	    statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st))
		return false;
	*fd = open_quietly(path_fd, &mount, &st);
	if (*fd < 0)
		return false;
	len = read_cached(*fd, head);
	if (len < 0)
		return false;
	*reply = look_of_head(head, (unsigned)len);
	look_identify(reply, &st);
	return true;
}

bool look_directly(const struct look_request *request, const char *path, struct look_reply *reply,
		   int *fd)
{
	int path_fd;
	bool known;

	*fd = -1;
	if (request->deleted || path[0] != '/' || !request->dev_major)
		return false;
	path_fd = open_cached(path);
	if (path_fd < 0)
		return false;
	known = look_at_path(path_fd, request, reply, fd);
	close(path_fd);
	if (known)
		reply->opened = request->open && reply->type == LOOK_ELF;
	if (*fd >= 0 && !(known && reply->opened)) {
		close(*fd);
		*fd = -1;
	}
	return known;
}
