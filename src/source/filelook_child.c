/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/filelook_child.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "source/listing.h"
#include "source/mounts.h"
#include "source/procmap.h"
#include "source/root.h"

/* A file while it is looked at. */
struct looking {
	const struct look_process *process;
	const struct look_request *request;
	const char *path;
	int *fd;	/* kept open, or -1 */
};

const char *const look_reasons[WHY_COUNT] = {
	[WHY_NONE] = "",
	[WHY_DENIED] = "denied: needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN",
	[WHY_GONE] = "gone: the mapped file can not be reached",
	[WHY_MISMATCH] = "mismatch: the path leads to another file",
	[WHY_FILE_SYSTEM] = "not looked at: its file system may hang",
	[WHY_FAILED] = "failed: the mapped file could not be read",
	[WHY_HANGS] = "stuck: its file system does not answer",
	[WHY_GIVEN_UP] = "not looked at: too many file systems do not answer",
};

/* What comes next, for the parent to know if it is the last. */
static void begin(const struct looking *looking, enum look_stage stage)
{
	atomic_store(looking->process->stage, stage);
}

static struct look_reply unknown(enum look_why why)
{
	return (struct look_reply){ .type = LOOK_UNKNOWN, .why = (uint8_t)why };
}

static struct look_reply found(enum look_type type)
{
	return (struct look_reply){ .type = (uint8_t)type, .why = WHY_NONE };
}

/* As libelf tells by the head. */
int look_is_elf(const char *head, unsigned len)
{
	return len >= sizeof(Elf32_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0 &&
	       (head[EI_CLASS] == ELFCLASS32 || head[EI_CLASS] == ELFCLASS64) &&
	       (head[EI_DATA] == ELFDATA2LSB || head[EI_DATA] == ELFDATA2MSB) &&
	       head[EI_VERSION] == EV_CURRENT;
}

struct look_reply look_of_head(const char *head, unsigned len)
{
	return found(look_is_elf(head, len) ? LOOK_ELF : LOOK_REGULAR);
}

void look_identify(struct look_reply *reply, const struct statx *st)
{
	reply->dev = (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor;
	reply->inode = st->stx_ino;
	reply->size = st->stx_size;
	reply->mtime_ns = st->stx_mtime.tv_sec * 1000000000 + st->stx_mtime.tv_nsec;
	reply->uid = st->stx_uid;
}

/* The device of memfd, SysV and /dev/zero memory: no mount of it is in any namespace. */
static bool is_kernel_shm(const struct statx *st)
{
	struct stat own;
	int fd = memfd_create("vmview", MFD_CLOEXEC);
	bool same;

	if (fd < 0)
		return false;
	same = fstat(fd, &own) == 0 && major(own.st_dev) == st->stx_dev_major &&
	       minor(own.st_dev) == st->stx_dev_minor;
	close(fd);
	return same;
}

static enum fs_class class_of(const struct mounts *mounts, const struct statx *st)
{
	struct bytes type = { NULL, 0 };

	if (st->stx_mask & STATX_MNT_ID)
		type = mounts_type_by_id(mounts, st->stx_mnt_id);
	if (!type.len)
		type = mounts_type_by_dev(mounts, st->stx_dev_major, st->stx_dev_minor);
	if (type.len)
		return fs_class_of(type);
	return is_kernel_shm(st) ? FS_SHM : FS_UNKNOWN;
}

/* For reading, a file that is held by O_PATH, with O_NONBLOCK: -1 and errno. */
static int reopen(int path_fd, int flags)
{
	char link[40];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	return open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
}

static int open_for_reading(int path_fd)
{
	int fd = reopen(path_fd, O_NOATIME);

	return fd < 0 && errno == EPERM ? reopen(path_fd, 0) : fd;
}

static struct look_reply look_at_head(int fd, const struct looking *looking, enum fs_class class)
{
	char head[LOOK_HEAD];
	ssize_t len = pread(fd, head, LOOK_HEAD, 0);
	struct look_reply reply = len < 0 ? unknown(WHY_FAILED) : look_of_head(head, (unsigned)len);

	if (reply.type == LOOK_ELF)
		*looking->fd = looking->request->open ? fd : -1;
	else if (class == FS_SHM)
		return found(LOOK_SHM);
	return reply;
}

static struct look_reply look_at_regular(int path_fd, const struct looking *looking,
					 enum fs_class class)
{
	struct look_reply reply;
	int fd;

	if (class == FS_HUGETLB)
		return found(LOOK_HUGETLB);
	fd = open_for_reading(path_fd);
	if (fd >= 0) {
		reply = look_at_head(fd, looking, class);
		if (*looking->fd != fd)
			close(fd);
		return reply;
	}
	/* memory is what it is, whatever its bytes are */
	if (class == FS_SHM)
		return found(LOOK_SHM);
	return unknown(errno == EACCES || errno == EPERM ? WHY_DENIED : WHY_FAILED);
}

static struct look_reply look_at_fd(int fd, const struct looking *looking, bool by_path)
{
	const struct look_request *request = looking->request;
	struct look_reply reply;
	enum fs_class class;
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID,
		  &st))
		return unknown(WHY_FAILED);
	if (st.stx_ino != request->inode)
		return unknown(WHY_MISMATCH);
	class = class_of(looking->process->mounts, &st);
	/* btrfs and overlayfs show another device in maps than in stat; map_files is right anyway */
	if (by_path &&
	    (st.stx_dev_major != request->dev_major || st.stx_dev_minor != request->dev_minor))
		return unknown(WHY_MISMATCH);
	if (S_ISCHR(st.stx_mode) || S_ISBLK(st.stx_mode))
		return found(LOOK_DEVICE);
	if (!S_ISREG(st.stx_mode) && st.stx_mode & S_IFMT)
		return unknown(WHY_MISMATCH);
	if (!fs_class_answers(class))
		return unknown(WHY_FILE_SYSTEM);
	reply = look_at_regular(fd, looking, class);
	/* such files never have a name, so nothing is in its place: not deleted, whatever the mark says */
	if (request->deleted && class == FS_SHM && is_kernel_shm(&st))
		reply.place = LOOK_PLACE_OWN;
	look_identify(&reply, &st);
	return reply;
}

/* The path below a root directory that this process sees; a chroot shows its paths with ours. */
static int open_path(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

static struct look_reply look_by_path(const struct looking *looking)
{
	const char *const roots[] = { "root", "/" };
	struct look_reply reply = unknown(WHY_DENIED);

	if (!looking->request->follow)
		return unknown(WHY_HANGS);
	for (unsigned i = 0; i < 2 && reply.type == LOOK_UNKNOWN; i++) {
		int root_fd = openat(looking->process->dir->fd, roots[i],
				     O_PATH | O_DIRECTORY | O_CLOEXEC);
		int fd;

		begin(looking, LOOK_STAGE_PATH);
		fd = root_fd >= 0 ? open_path(root_fd, looking->path) : -1;
		begin(looking, LOOK_STAGE_FILE);
		if (fd >= 0)
			reply = look_at_fd(fd, looking, true);
		if (fd >= 0)
			close(fd);
		if (root_fd >= 0)
			close(root_fd);
	}
	return reply;
}

/* "55d0c0e00000-55d0c0e21000" holds addr. */
static bool holds(const char *name, uint64_t addr)
{
	const char *end = name + strlen(name);
	uint64_t from, to;

	return num_parse_hex(&name, end, &from) && name < end && *name++ == '-' &&
	       num_parse_hex(&name, end, &to) && name == end && from <= addr && addr < to;
}

/*
 * The entry of map_files for the mapping, or, where none has its range, the one that holds its beginning: the
 * mapping may be another by now, and where pages are emulated maps shows less than there is (Android's
 * [page size compat]). A descriptor or -errno.
 */
static int open_entry(const struct procdir *dir, uint64_t start, uint64_t end, int flags)
{
	struct dirent *entry = NULL;
	char name[64];
	DIR *list;
	int fd;

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)start,
		 (unsigned long long)end);
	fd = procdir_open_file(dir, flags, name);
	if (fd != -ENOENT)
		return fd;
	fd = procdir_open_file(dir, O_RDONLY | O_DIRECTORY, "map_files");
	if (fd < 0)
		return fd;
	list = listing_open(fd);
	while ((entry = readdir(list)) && !holds(entry->d_name, start))
		;
	if (entry)
		snprintf(name, sizeof(name), "map_files/%.50s", entry->d_name);
	fd = entry ? procdir_open_file(dir, flags, name) : -ENOENT;
	closedir(list);
	return fd;
}

/* In a recording map_files holds copies: no inode to compare. */
static struct look_reply look_at_recorded(const struct looking *looking)
{
	const struct look_request *request = looking->request;
	int fd = open_entry(looking->process->dir, request->start, request->end, O_RDONLY);
	struct look_reply reply;
	struct stat st;

	if (fd < 0)
		return unknown(WHY_GONE);
	reply = look_at_head(fd, looking, FS_LOCAL);
	if (fstat(fd, &st) == 0) {
		reply.dev = st.st_dev;
		reply.inode = st.st_ino;
		reply.size = (uint64_t)st.st_size;
		reply.mtime_ns = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	}
	if (*looking->fd != fd)
		close(fd);
	return reply;
}

/* A core names files and no inodes: the one that has the name now, which objects.c compares. */
static struct look_reply look_of_core(const struct looking *looking)
{
	const struct root *files = looking->process->dir->root->files;
	struct look_reply reply;
	enum fs_class class;
	struct statx st;
	int fd;

	if (!looking->request->follow)
		return unknown(WHY_HANGS);
	begin(looking, LOOK_STAGE_PATH);
	fd = open_path(files->fd, looking->path);
	begin(looking, LOOK_STAGE_FILE);
	if (fd < 0)
		return unknown(errno == EACCES ? WHY_DENIED : WHY_GONE);
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID,
		  &st)) {
		close(fd);
		return unknown(WHY_FAILED);
	}
	class = files->recorded ? FS_LOCAL : class_of(looking->process->mounts, &st);
	if (!S_ISREG(st.stx_mode))
		reply = unknown(WHY_MISMATCH);
	else if (!fs_class_answers(class))
		reply = unknown(WHY_FILE_SYSTEM);
	else
		reply = look_at_regular(fd, looking, class);
	close(fd);
	look_identify(&reply, &st);
	return reply;
}

/* The kernel calls a file that was made with O_TMPFILE by its inode: it never had another name. */
static bool never_had_a_name(const struct looking *looking)
{
	char name[24];

	snprintf(name, sizeof(name), "/#%llu", (unsigned long long)looking->request->inode);
	return bytes_end_with(bytes_of(looking->path), bytes_of(name));
}

/*
 * Whether the file of this name is there (0: no, -1: not known) and is the one that is mapped: reply
 * has its device where it could be looked at, maps may show another.
 */
static int is_there(int root_fd, const char *path, const struct looking *looking,
		    const struct look_reply *reply, bool *same)
{
	int fd = open_path(root_fd, path);
	struct statx st;
	int rc = -1;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) == 0) {
		*same = st.stx_ino == looking->request->inode &&
			(!reply->inode ||
			 reply->dev == ((uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor));
		rc = 1;
	}
	close(fd);
	return rc;
}

static bool shares_mounts(const struct looking *looking)
{
	struct stat own, its;

	return stat("/proc/self/ns/mnt", &own) == 0 &&
	       fstatat(looking->process->dir->fd, "ns/mnt", &its, 0) == 0 &&
	       own.st_ino == its.st_ino && own.st_dev == its.st_dev;
}

/*
 * Where the path begins, and the path from there. Paths are those of our mount namespace where the process
 * is in it too, even below a chroot. In another one they begin at its top, where its own root need not be,
 * which alone can be opened. -1: the path can not be followed.
 */
static int open_root(const struct looking *looking, const char **path)
{
	int dir_fd = looking->process->dir->fd;
	char root[LOOK_PATH_MAX];
	ssize_t len;

	*path = looking->path;
	if (shares_mounts(looking))
		return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	len = readlinkat(dir_fd, "root", root, sizeof(root));
	if (len > 1) {
		if (strncmp(looking->path, root, (size_t)len) != 0 || looking->path[len] != '/')
			return -1;
		*path += len;
	}
	return openat(dir_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/*
 * What is in the place of a file whose name ends in " (deleted)". The kernel adds that to the names of
 * files that are gone, but a file may really be called so: then it is linked.
 */
static void look_at_place(const struct looking *looking, struct look_reply *reply)
{
	char name[LOOK_PATH_MAX + 16];
	const char *path;
	bool same = false;
	int root_fd, there;

	begin(looking, LOOK_STAGE_PLACE);
	root_fd = open_root(looking, &path);

	if (root_fd < 0)
		return;
	snprintf(name, sizeof(name), "%s (deleted)", path);
	if (is_there(root_fd, name, looking, reply, &same) > 0 && same) {
		reply->linked = 1;
		reply->place = LOOK_PLACE_OWN;
	} else {
		there = is_there(root_fd, path, looking, reply, &same);
		reply->place = there < 0 ? LOOK_PLACE_UNKNOWN :
			       there > 0 ? (same ? LOOK_PLACE_OWN : LOOK_PLACE_OTHER) :
			       never_had_a_name(looking) ? LOOK_PLACE_OWN :
							   LOOK_PLACE_EMPTY;
	}
	close(root_fd);
}

/*
 * The build-id from the kernel, for files that we may not open: that makes it read the file, so not
 * where this could hang.
 */
static void ask_build_id(const struct looking *looking, struct look_reply *reply)
{
	const struct look_request *request = looking->request;
	struct procmap_query query = {
		.size = sizeof(query),
		.query_addr = request->start,
		.build_id_size = LOOK_BUILD_ID_MAX,
		.build_id_addr = (uint64_t)(uintptr_t)reply->build_id,
	};
	struct bytes type = mounts_type_by_dev(looking->process->mounts, request->dev_major,
					       request->dev_minor);
	enum fs_class class = fs_class_of(type);
	int fd;

	if (class != FS_LOCAL && class != FS_SHM)
		return;
	fd = procdir_openat(looking->process->dir, O_RDONLY, NULL, "maps");
	if (fd < 0)
		return;
	if (ioctl(fd, PROCMAP_QUERY, &query) == 0 && query.vma_start == request->start &&
	    query.build_id_size <= LOOK_BUILD_ID_MAX)
		reply->build_id_len = (uint8_t)query.build_id_size;
	close(fd);
}

struct look_reply look_at_file(const struct look_process *process,
			       const struct look_request *request, const char *path, int *fd)
{
	const struct looking looking = { process, request, path, fd };
	struct look_reply reply;
	int path_fd;

	*fd = -1;
	begin(&looking, LOOK_STAGE_FILE);
	if (process->dir->root->core) {
		reply = look_of_core(&looking);
		reply.opened = *fd >= 0;
		return reply;
	}
	if (process->dir->root->recorded) {
		reply = look_at_recorded(&looking);
		reply.opened = *fd >= 0;
		return reply;
	}
	path_fd = open_entry(process->dir, request->start, request->end, O_PATH);
	if (path_fd >= 0) {
		reply = look_at_fd(path_fd, &looking, false);
		close(path_fd);
	} else {
		reply = look_by_path(&looking);
	}
	reply.opened = *fd >= 0;
	if (request->deleted && request->follow && reply.place == LOOK_PLACE_UNKNOWN &&
	    (reply.type != LOOK_UNKNOWN || request->open))
		look_at_place(&looking, &reply);
	begin(&looking, LOOK_STAGE_FILE);
	if (request->open && reply.type == LOOK_UNKNOWN)
		ask_build_id(&looking, &reply);
	return reply;
}
