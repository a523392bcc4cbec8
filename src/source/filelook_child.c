/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/filelook_child.h"

#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "source/mounts.h"
#include "source/root.h"

enum { HEAD = 64 };

const char *const look_reasons[WHY_COUNT] = {
	[WHY_NONE] = "",
	[WHY_DENIED] = "denied: needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN",
	[WHY_GONE] = "gone: the mapped file can not be reached",
	[WHY_MISMATCH] = "mismatch: the path leads to another file",
	[WHY_FILE_SYSTEM] = "not looked at: its file system may hang",
	[WHY_FAILED] = "failed: the mapped file could not be read",
	[WHY_HANGS] = "not looked at: opening it did not end",
};

static struct look_reply unknown(enum look_why why)
{
	return (struct look_reply){ .type = LOOK_UNKNOWN, .why = (uint8_t)why };
}

static struct look_reply found(enum look_type type)
{
	return (struct look_reply){ .type = (uint8_t)type, .why = WHY_NONE };
}

int look_is_elf(const char *head, unsigned len)
{
	char image[HEAD] = { 0 };
	bool wide = len > EI_CLASS && head[EI_CLASS] == ELFCLASS64;
	Elf *elf;
	int is_elf;

	if (len < sizeof(Elf32_Ehdr))
		return 0;
	memcpy(image, head, len < HEAD ? len : HEAD);
	/* what lies behind the header is not here: no program and section headers */
	if (wide)
		memset(image + offsetof(Elf64_Ehdr, e_phoff), 0, 16);
	else
		memset(image + offsetof(Elf32_Ehdr, e_phoff), 0, 8);
	memset(image + (wide ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)), 0,
	       8);
	elf_version(EV_CURRENT);
	elf = elf_memory(image, HEAD);
	is_elf = elf && elf_kind(elf) == ELF_K_ELF;
	elf_end(elf);
	return is_elf;
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

/* Read the head of a file that is held by O_PATH; -1: could not, and errno. */
static ssize_t read_head(int path_fd, char head[HEAD])
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char link[40];
	ssize_t len;
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(link, flags);
	if (fd < 0)
		return -1;
	len = pread(fd, head, HEAD, 0);
	close(fd);
	return len;
}

static struct look_reply look_at_regular(int fd, enum fs_class class)
{
	char head[HEAD];
	ssize_t len;

	if (class == FS_HUGETLB)
		return found(LOOK_HUGETLB);
	len = read_head(fd, head);
	if (len > 0 && look_is_elf(head, (unsigned)len))
		return found(LOOK_ELF);
	/* memory is what it is, whatever its bytes are */
	if (class == FS_SHM)
		return found(LOOK_SHM);
	if (len < 0)
		return unknown(errno == EACCES || errno == EPERM ? WHY_DENIED : WHY_FAILED);
	return found(LOOK_REGULAR);
}

static struct look_reply look_at_fd(int fd, const struct mounts *mounts,
				    const struct look_request *request, bool by_path)
{
	struct statx st;
	enum fs_class class;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_MNT_ID,
		  &st))
		return unknown(WHY_FAILED);
	if (st.stx_ino != request->inode)
		return unknown(WHY_MISMATCH);
	class = class_of(mounts, &st);
	/* btrfs and overlayfs show another device in maps than in stat; map_files is right anyway */
	if (by_path &&
	    (st.stx_dev_major != request->dev_major || st.stx_dev_minor != request->dev_minor))
		return unknown(WHY_MISMATCH);
	if (S_ISCHR(st.stx_mode) || S_ISBLK(st.stx_mode))
		return found(LOOK_DEVICE);
	if (!S_ISREG(st.stx_mode) && st.stx_mode & S_IFMT)
		return unknown(WHY_MISMATCH);
	if (class == FS_UNKNOWN)
		return unknown(WHY_FILE_SYSTEM);
	return look_at_regular(fd, class);
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

static struct look_reply look_by_path(const struct procdir *dir, const struct mounts *mounts,
				      const struct look_request *request, const char *path)
{
	const char *const roots[] = { "root", "/" };
	struct look_reply reply = unknown(WHY_DENIED);

	for (unsigned i = 0; i < 2 && reply.type == LOOK_UNKNOWN; i++) {
		int root_fd = openat(dir->fd, roots[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		int fd = root_fd >= 0 ? open_path(root_fd, path) : -1;

		if (fd >= 0)
			reply = look_at_fd(fd, mounts, request, true);
		if (fd >= 0)
			close(fd);
		if (root_fd >= 0)
			close(root_fd);
	}
	return reply;
}

/* In a recording map_files holds copies: no inode to compare. */
static struct look_reply look_at_recorded(const struct procdir *dir, const char *name)
{
	char head[HEAD];
	ssize_t len;
	int fd = procdir_openat(dir, O_RDONLY, NULL, "%s", name);

	if (fd < 0)
		return unknown(WHY_GONE);
	len = read(fd, head, HEAD);
	close(fd);
	return found(len > 0 && look_is_elf(head, (unsigned)len) ? LOOK_ELF : LOOK_REGULAR);
}

/*
 * Whether the name with " (deleted)" is really that of the file: the kernel adds it to names of files
 * that are gone, but a file may be called so.
 */
static bool is_linked(const struct procdir *dir, const struct look_request *request,
		      const char *path)
{
	char name[LOOK_PATH_MAX + 16];
	int root_fd = openat(dir->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx st;
	bool same;
	int fd;

	snprintf(name, sizeof(name), "%s (deleted)", path);
	fd = root_fd >= 0 ? open_path(root_fd, name) : -1;
	same = fd >= 0 && statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) == 0 &&
	       st.stx_ino == request->inode;
	if (fd >= 0)
		close(fd);
	if (root_fd >= 0)
		close(root_fd);
	return same;
}

struct look_reply look_at_file(const struct procdir *dir, const struct mounts *mounts,
			       const struct look_request *request, const char *path)
{
	struct look_reply reply;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)request->start,
		 (unsigned long long)request->end);
	if (dir->root->recorded)
		return look_at_recorded(dir, name);
	fd = openat(dir->fd, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return look_by_path(dir, mounts, request, path);
	reply = look_at_fd(fd, mounts, request, false);
	close(fd);
	if (request->deleted && reply.type != LOOK_UNKNOWN)
		reply.linked = is_linked(dir, request, path);
	return reply;
}
