/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/look_direct.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "source/filecache.h"
#include "source/filelook_child.h"
#include "source/mounts.h"

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
static bool is_the_file(int path_fd, const struct look_request *request)
{
	struct statx st;

	return statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		     STATX_TYPE | STATX_INO | STATX_UID, &st) == 0 &&
	       st.stx_ino == request->inode && st.stx_dev_major == request->dev_major &&
	       st.stx_dev_minor == request->dev_minor && S_ISREG(st.stx_mode) &&
	       (st.stx_uid == 0 || st.stx_uid == geteuid());
}

static bool is_before(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Whether reading leaves the time of access as it is. */
static bool spares_atime(const struct mounts *mounts, const struct statx *st)
{
	enum mount_atime atime = mounts_atime(mounts, st->stx_mnt_id);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return atime == ATIME_NEVER ||
	       (atime == ATIME_RELATIVE && is_before(&st->stx_mtime, &st->stx_atime) &&
		is_before(&st->stx_ctime, &st->stx_atime) &&
		now.tv_sec - st->stx_atime.tv_sec < FRESH_SECONDS);
}

static int open_quietly(int path_fd, const struct look_process *process, const struct statx *st)
{
	int fd = look_reopen(path_fd, O_NOATIME);

	if (fd < 0 && errno == EPERM && spares_atime(process->mounts, st))
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

static bool look_at_path(int path_fd, const struct look_process *process, struct look_reply *reply,
			 int *fd)
{
	char head[LOOK_HEAD];
	struct statx st;
	ssize_t len;

	if (statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID,
		  &st))
		return false;
	*fd = open_quietly(path_fd, process, &st);
	if (*fd < 0)
		return false;
	len = read_cached(*fd, head);
	if (len < 0)
		return false;
	*reply = look_of_head(head, (unsigned)len);
	look_identify(reply, &st);
	return true;
}

bool look_directly(const struct look_process *process, const struct look_request *request,
		   const char *path, struct look_reply *reply, int *fd)
{
	int path_fd;
	bool known;

	*fd = -1;
	if (request->deleted || path[0] != '/' ||
	    !mounts_open_at_once(process->mounts, request->dev_major, request->dev_minor))
		return false;
	path_fd = open_cached(path);
	if (path_fd < 0)
		return false;
	known = is_the_file(path_fd, request) && look_at_path(path_fd, process, reply, fd);
	close(path_fd);
	if (known)
		reply->opened = request->open && reply->type == LOOK_ELF;
	if (*fd >= 0 && !(known && reply->opened)) {
		close(*fd);
		*fd = -1;
	}
	return known;
}
