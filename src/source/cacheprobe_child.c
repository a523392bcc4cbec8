/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cacheprobe_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "source/listing.h"

enum { READ = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, ALIGN = 8 };
static const uint64_t slice_bytes = 1ull << 32; /* of a file, counted at once */
enum { BELOW = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

struct serving {
	const struct probe_batch *batch;
	size_t page_size;
	size_t index; /* of the item */
	const struct probe_item *item;
	/* of a directory: what is not told one by one */
	uint64_t files, bytes;
};

/* Where the child is, for its parent should it hang there. */
static void mark(const struct serving *serving, const char *name)
{
	struct probe_shared *shared = serving->batch->shared;
	size_t len = strnlen(name, PROBE_NAME - 1);

	shared->item = (uint32_t)serving->index;
	memcpy(shared->name, name, len);
	shared->name[len] = '\0';
	atomic_fetch_add_explicit(&shared->steps, 1, memory_order_release);
}

/* Have the parent take what is there; without a parent there is nothing to go on for. */
static void hand_over(const struct probe_batch *batch, char say)
{
	char answer;

	if (write(batch->socket, &say, 1) != 1)
		_exit(1);
	if (say == PROBE_SAYS_FULL && read(batch->socket, &answer, 1) != 1)
		_exit(1);
}

static void put(const struct serving *serving, struct probe_reply *reply, const char *name)
{
	struct probe_shared *shared = serving->batch->shared;
	size_t len = strlen(name), room = (len + ALIGN - 1) / ALIGN * ALIGN;
	uint32_t at = atomic_load_explicit(&shared->len, memory_order_acquire);

	if (PROBE_TEXT - at < sizeof(*reply) + room) {
		hand_over(serving->batch, PROBE_SAYS_FULL);
		at = atomic_load_explicit(&shared->len, memory_order_acquire);
	}
	reply->id = serving->item->id;
	reply->name_len = (uint32_t)len;
	memcpy(shared->text + at, reply, sizeof(*reply));
	memcpy(shared->text + at + sizeof(*reply), name, len);
	atomic_store_explicit(&shared->len, at + (uint32_t)(sizeof(*reply) + room),
			      memory_order_release);
}

static void put_why(const struct serving *serving, enum probe_is is, enum probe_why why,
		    const char *name)
{
	struct probe_reply reply = { .is = (uint8_t)is, .why = (uint8_t)why };

	put(serving, &reply, name);
}

static enum probe_why why_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return PROBE_DENIED;
	case ENOENT:
	case ESRCH:
		return PROBE_GONE;
	case EXDEV:
		return PROBE_OTHER_MOUNT;
	case ENOTDIR: /* a link, where there is no openat2 */
	case ELOOP:
	case ENXIO:
		return PROBE_NO_FILE;
	default:
		return PROBE_FAILED;
	}
}

/* Before Linux 5.6 there is no openat2: one name at a time is opened, so O_NOFOLLOW says the same. */
static int open_below(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = { .flags = (unsigned)flags, .resolve = resolve };
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS && !strchr(path, '/'))
		fd = openat(dir_fd, path, flags | O_NOFOLLOW);
	return fd;
}

static int open_quietly(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	int fd = open_below(dir_fd, path, flags | O_NOATIME, resolve);

	return fd < 0 && errno == EPERM ? open_below(dir_fd, path, flags, resolve) : fd;
}

/* A file that is held by O_PATH, for reading. */
static int reopen(int path_fd)
{
	char link[40];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, READ | O_NOATIME);
	return fd < 0 && errno == EPERM ? open(link, READ) : fd;
}

/* A part of the file. Returns 0 or -errno. */
static int count_slice(int fd, bool mincore, uint64_t at, uint64_t len, size_t page_size,
		       struct cache_counts *sum)
{
	struct cache_counts counts;
	int rc;

	if (mincore)
		return mincore_range(fd, at, len, page_size, &sum->cached);
	rc = cachestat_range(fd, at, len, &counts);
	if (rc)
		return rc;
	sum->cached += counts.cached;
	sum->dirty += counts.dirty;
	sum->writeback += counts.writeback;
	sum->evicted += counts.evicted;
	sum->recently_evicted += counts.recently_evicted;
	return 0;
}

/* In slices, none of which takes long: a child that counts is not one that hangs. */
static int count_slices(const struct serving *serving, int fd, bool mincore,
			struct probe_reply *reply)
{
	struct probe_shared *shared = serving->batch->shared;
	uint64_t at = 0, len;
	int rc;

	do {
		len = reply->size - at < slice_bytes ? reply->size - at : slice_bytes;
		rc = count_slice(fd, mincore, at, len, serving->page_size, &reply->counts);
		atomic_fetch_add_explicit(&shared->steps, 1, memory_order_release);
		at += len;
	} while (rc == 0 && at < reply->size);
	return rc;
}

static enum probe_why count_pages(const struct serving *serving, int fd, struct probe_reply *reply)
{
	enum cache_source source = serving->item->overlay ? CACHE_MINCORE : serving->batch->way;
	int rc = count_slices(serving, fd, source == CACHE_MINCORE, reply);

	if (rc == -ENOSYS) {
		source = CACHE_MINCORE;
		rc = count_slices(serving, fd, true, reply);
	}
	if (rc == 0)
		reply->source = (uint8_t)source;
	return rc == 0		 ? PROBE_OK :
	       rc == -EPERM	 ? PROBE_NOT_OURS :
	       rc == -EOPNOTSUPP ? PROBE_UNSUPPORTED :
				   PROBE_FAILED;
}

/* Of a file that is open: which it is, and how much of it is cached. */
static struct probe_reply look_at(const struct serving *serving, int fd)
{
	struct probe_reply reply = { .is = PROBE_IS_FILE };
	struct stat st;

	if (fstat(fd, &st)) {
		reply.why = PROBE_FAILED;
		return reply;
	}
	if (!S_ISREG(st.st_mode)) {
		reply.why = PROBE_NO_FILE;
		return reply;
	}
	reply.dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
	reply.inode = st.st_ino;
	reply.size = (uint64_t)st.st_size;
	reply.links = (uint32_t)st.st_nlink;
	reply.why = (uint8_t)count_pages(serving, fd, &reply);
	return reply;
}

static struct probe_reply refused(enum probe_why why)
{
	return (struct probe_reply){ .is = PROBE_IS_FILE, .why = (uint8_t)why };
}

/* A file that is held by O_PATH: opened where it is a regular one, and that one (inode 0: any). */
static struct probe_reply look_through(const struct serving *serving, int path_fd, uint64_t inode)
{
	struct probe_reply reply;
	struct statx st;
	int fd;

	if (path_fd < 0)
		return refused(why_of(errno));
	if (statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st))
		return refused(PROBE_FAILED);
	if (inode && st.stx_ino != inode)
		return refused(PROBE_MISMATCH);
	if (!S_ISREG(st.stx_mode))
		return refused(PROBE_NO_FILE);
	fd = reopen(path_fd);
	if (fd < 0)
		return refused(why_of(errno));
	reply = look_at(serving, fd);
	close(fd);
	return reply;
}

/* Whoever may write to a directory may put a FIFO or a device in a file's place just now. */
static bool is_trusted(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static struct probe_reply look_in(const struct serving *serving, int dir_fd, const char *name,
				  bool trusted)
{
	struct probe_reply reply;
	int fd = trusted ? open_quietly(dir_fd, name, READ, BELOW | RESOLVE_NO_XDEV) :
			   open_below(dir_fd, name, O_PATH | O_CLOEXEC, BELOW | RESOLVE_NO_XDEV);

	if (fd < 0)
		return refused(why_of(errno));
	reply = trusted ? look_at(serving, fd) : look_through(serving, fd, 0);
	close(fd);
	return reply;
}

static unsigned char type_of(int dir_fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return DT_UNKNOWN;
	return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_UNKNOWN;
}

static void take_file(struct serving *serving, int dir_fd, const char *name, bool trusted)
{
	struct probe_reply reply = look_in(serving, dir_fd, name, trusted);

	if (reply.why == PROBE_NO_FILE || reply.why == PROBE_GONE)
		return;
	if (reply.why == PROBE_OK && !reply.counts.cached && reply.links == 1) {
		serving->files++;
		serving->bytes += reply.size;
		return;
	}
	put(serving, &reply, name);
}

static void list(struct serving *serving, DIR *dir)
{
	int fd = dirfd(dir);
	bool trusted = is_trusted(fd);
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		unsigned char type;

		if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
			continue;
		mark(serving, name);
		type = type_of(fd, entry);
		if (type == DT_DIR)
			put_why(serving, PROBE_IS_DIRECTORY, PROBE_OK, name);
		else if (type == DT_REG)
			take_file(serving, fd, name, trusted);
	}
}

/* The start, held by O_PATH; opened once a child. */
static int start_fd(const struct probe_batch *batch, uint32_t index)
{
	struct probe_start *start = &batch->starts[index];

	if (start->fd >= 0)
		return start->fd;
	if (start->below == PROBE_NO_START) {
		start->fd = open(start->path, O_PATH | O_CLOEXEC);
	} else {
		int below = start_fd(batch, start->below);

		start->fd = below < 0 ? -1 :
					open_below(below, start->path, O_PATH | O_CLOEXEC, BELOW);
	}
	return start->fd;
}

static void serve_start(struct serving *serving)
{
	int fd = start_fd(serving->batch, serving->item->start);
	struct probe_reply reply = { .is = PROBE_IS_START };
	char link[40], path[4096] = "";
	struct statx st;
	ssize_t len;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
			    STATX_TYPE | STATX_INO | STATX_MNT_ID, &st)) {
		put_why(serving, PROBE_IS_START, why_of(errno), strerror(errno));
		return;
	}
	if (!S_ISDIR(st.stx_mode) && !S_ISREG(st.stx_mode)) {
		put_why(serving, PROBE_IS_START, PROBE_NO_FILE, "");
		return;
	}
	reply.directory = S_ISDIR(st.stx_mode);
	reply.overlay = !cachestat_is_true(fd);
	reply.dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
	reply.inode = st.stx_ino;
	reply.mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	put(serving, &reply, path);
}

static void serve_directory(struct serving *serving)
{
	const char *path = serving->item->path;
	int start = start_fd(serving->batch, serving->item->start);
	struct probe_reply end = { .is = PROBE_IS_END };
	int fd = start < 0 ? -1 :
			     open_quietly(start, *path ? path : ".", READ | O_DIRECTORY,
					  BELOW | RESOLVE_NO_XDEV);
	DIR *dir;

	if (fd < 0) {
		put_why(serving, PROBE_IS_END, why_of(errno), "");
		return;
	}
	dir = listing_open(fd);
	serving->files = serving->bytes = 0;
	list(serving, dir);
	closedir(dir);
	end.files = serving->files;
	end.bytes = serving->bytes;
	put(serving, &end, "");
}

static void serve_file(struct serving *serving)
{
	struct probe_reply reply =
		look_through(serving, start_fd(serving->batch, serving->item->start), 0);

	put(serving, &reply, "");
}

/* Without the right to map_files the file may still be the one that has its name. */
static int open_mapping(const struct probe_item *item)
{
	char link[64];
	int fd;

	snprintf(link, sizeof(link), "/proc/%d/map_files/%llx-%llx", item->pid,
		 (unsigned long long)item->from, (unsigned long long)item->to);
	fd = open(link, O_PATH | O_CLOEXEC);
	if (fd >= 0 || (errno != EPERM && errno != EACCES) || !item->path || *item->path != '/')
		return fd;
	fd = open_below(AT_FDCWD, item->path, O_PATH | O_CLOEXEC, RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		errno = EPERM;
	return fd;
}

static void serve_open(struct serving *serving)
{
	const struct probe_item *item = serving->item;
	struct probe_reply reply;
	char link[64];
	int fd;

	snprintf(link, sizeof(link), "/proc/%d/fd/%llu", item->pid, (unsigned long long)item->from);
	fd = item->what == PROBE_MAPPING ? open_mapping(item) : open(link, O_PATH | O_CLOEXEC);
	reply = look_through(serving, fd, item->inode);
	if (fd >= 0)
		close(fd);
	put(serving, &reply, "");
}

static void (*const serve[])(struct serving *) = {
	[PROBE_START] = serve_start,	     [PROBE_FILE] = serve_file,
	[PROBE_DIRECTORY] = serve_directory, [PROBE_MAPPING] = serve_open,
	[PROBE_DESCRIPTOR] = serve_open,
};

void cacheprobe_serve(const struct probe_batch *batch)
{
	struct serving serving = {
		.batch = batch,
		.page_size = (size_t)sysconf(_SC_PAGESIZE),
	};

	for (size_t i = batch->first; i < batch->count; i++) {
		serving.index = i;
		serving.item = &batch->items[i];
		mark(&serving, "");
		serve[serving.item->what](&serving);
	}
	hand_over(batch, PROBE_SAYS_DONE);
}
