/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that see the world from elsewhere: namespaces, chroot, another word size. */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_PAGES 4

static uint64_t inode_at(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		zoo_die("%s: %s", path, strerror(errno));
	return st.st_ino;
}

static char *dir_make(const char *where, const char *name)
{
	char *path = zoo_path(where, name);

	if (mkdir(path, 0755))
		zoo_die("%s: %s", path, strerror(errno));
	return path;
}

/* Map a file of FILE_PAGES for reading, all of it present. */
static char *map_file(const struct zoo *zoo, int fd)
{
	char *p = den_map(zoo, DEN(.pages = FILE_PAGES, .prot = PROT_READ, .flags = MAP_PRIVATE,
				   .fd = fd));

	den_populate(zoo, p, FILE_PAGES);
	return p;
}

/* Mounts of our own, that nobody else sees; false where we may not. */
static bool own_mounts(void)
{
	return !unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* Its path names another file for everybody outside. */
static int mount_ns(struct zoo *zoo)
{
	char *place = dir_make(zoo->scratch, "place"), *other = dir_make(zoo->scratch, "other");
	char *path = zoo_path(place, "file"), *p;
	uint64_t outside;
	int fd;

	close(file_make(zoo, path, FILE_PAGES));
	outside = inode_at(path);
	if (!own_mounts() || mount(other, place, NULL, MS_BIND, NULL))
		return zoo_skip(zoo, "no mounts of our own: %s", strerror(errno));
	fd = file_make(zoo, path, FILE_PAGES);
	p = map_file(zoo, fd);
	say_open(zoo, 0);
	say_num(zoo, "inode_at_path", outside);
	say_mapping(zoo,
		    TRUTH(.start = addr_of(p), .pages = FILE_PAGES, .kind = "file", .perm = "r--p",
			  .name = path, .inode = inode_at(path), .private_clean = FILE_PAGES,
			  .unsure = UNSURE_ORDER, RUNS({ PRESENT, 0, FILE_PAGES })));
	say_close(zoo);
	return 0;
}

/* Maps /file; a reader outside sees the whole path. */
static int chrooted(struct zoo *zoo)
{
	char *dir = dir_make(zoo->scratch, "root"), *path = zoo_path(dir, "file"), *p;
	int fd;

	if (chroot(dir) || chdir("/"))
		return zoo_skip(zoo, "chroot: %s", strerror(errno));
	fd = file_make(zoo, "/file", FILE_PAGES);
	p = map_file(zoo, fd);
	say_open(zoo, 0);
	say_text(zoo, "path_inside", "/file");
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = FILE_PAGES, .kind = "file",
			       .perm = "r--p", .name = path, .file = path,
			       .inode = inode_at("/file"), .private_clean = FILE_PAGES,
			       .unsure = UNSURE_ORDER, RUNS({ PRESENT, 0, FILE_PAGES })));
	say_close(zoo);
	return 0;
}

/* Its file system is mounted nowhere any more: only the path inside it is left. */
static int lazy_umount(struct zoo *zoo)
{
	char *dir = dir_make(zoo->scratch, "mnt"), *path = zoo_path(dir, "file"), *p;
	uint64_t inode;
	int fd;

	if (!own_mounts() || mount("none", dir, "tmpfs", 0, NULL))
		return zoo_skip(zoo, "no mounts of our own: %s", strerror(errno));
	fd = file_make(zoo, path, FILE_PAGES);
	inode = inode_at(path);
	p = map_file(zoo, fd);
	if (umount2(dir, MNT_DETACH))
		zoo_die("umount: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = FILE_PAGES, .kind = "shm",
				  .perm = "r--p", .name = "/file", .inode = inode,
				  .private_dirty = FILE_PAGES, RUNS({ PRESENT, 0, FILE_PAGES })));
}

/*
 * The device in maps is not the one that stat tells: so it is where the layers are of different
 * file systems.
 */
static int overlay(struct zoo *zoo)
{
	char *lower = dir_make(zoo->scratch, "lower"), *upper, *work, *options, *p;
	char *merged = dir_make(zoo->scratch, "merged"), *path = zoo_path(merged, "file");
	struct stat st;
	int fd;

	if (!zoo->tmpfs)
		return zoo_skip(zoo, "/dev/shm is no tmpfs");
	upper = dir_make(zoo->tmpfs, "upper");
	work = dir_make(zoo->tmpfs, "work");
	close(file_make(zoo, zoo_path(lower, "file"), FILE_PAGES));
	if (asprintf(&options, "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work) < 0)
		zoo_die("out of memory");
	if (!own_mounts() || mount("none", merged, "overlay", 0, options))
		return zoo_skip(zoo, "no overlay: %s", strerror(errno));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		zoo_die("%s: %s", path, strerror(errno));
	p = map_file(zoo, fd);
	say_open(zoo, 0);
	say_num(zoo, "stat_major", major(st.st_dev));
	say_num(zoo, "stat_minor", minor(st.st_dev));
	say_mapping(zoo,
		    TRUTH(.start = addr_of(p), .pages = FILE_PAGES, .kind = "file", .perm = "r--p",
			  .name = path, .inode = st.st_ino, .private_clean = FILE_PAGES,
			  .unsure = UNSURE_ORDER, RUNS({ PRESENT, 0, FILE_PAGES })));
	say_close(zoo);
	return 0;
}

static void touch_two(struct zoo *zoo, void *arg)
{
	den_touch(zoo, arg, 0, 2);
}

/* PID 1 of a PID namespace of its own. */
static int pid_ns(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return zoo_skip(zoo, "no PID namespace: %s", strerror(errno));
	pid = child_start(zoo, touch_two, p);
	say_open(zoo, pid);
	say_nums(zoo, "nspid", (uint64_t[]){ (uint64_t)pid, 1 }, 2);
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(2),
			       RUNS({ PRESENT, 0, 2 })));
	say_close(zoo);
	return 0;
}

#define TASK32_AT    0x10000000
#define TASK32_PAGES 8

#ifdef __x86_64__
/* clang-format off */
/*
 * A whole 32-bit program, so that no 32-bit compiler is needed: maps TASK32_PAGES at TASK32_AT,
 * writes to three of them, says so with a byte to descriptor 3, sleeps.
 */
static const unsigned char task32_image[] = {
	/* ELF header: 32-bit, executable, i386, entry 0x8048074, two program headers at 52 */
	0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 3, 0, 1, 0, 0, 0, 0x74, 0x80, 0x04, 0x08, 52, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 2, 0, 0, 0, 0, 0, 0, 0,
	/* PT_LOAD: offset 0, address 0x8048000, 256 bytes, r-x, aligned to a page */
	1, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x80, 0x04, 0x08, 0x00, 0x80, 0x04, 0x08,
	0, 1, 0, 0, 0, 1, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
	/* PT_GNU_STACK: without it, all that is readable would be executable */
	0x51, 0xe5, 0x74, 0x64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 16, 0, 0, 0,
	0xb8, 192, 0, 0, 0,			/* mov eax, mmap2 */
	0xbb, 0, 0, 0, 0x10,			/* mov ebx, TASK32_AT */
	0xb9, 0, 0x80, 0, 0,			/* mov ecx, 8 pages */
	0xba, 3, 0, 0, 0,			/* mov edx, read | write */
	0xbe, 0x32, 0, 0, 0,			/* mov esi, private | anonymous | fixed */
	0xbf, 0xff, 0xff, 0xff, 0xff,		/* mov edi, -1 */
	0x31, 0xed,				/* xor ebp, ebp */
	0xcd, 0x80,				/* int 0x80 */
	0xc6, 0x00, 1,				/* mov byte [eax], 1 */
	0xc6, 0x80, 0, 0x10, 0, 0, 1,		/* mov byte [eax + 0x1000], 1 */
	0xc6, 0x80, 0, 0x20, 0, 0, 1,		/* mov byte [eax + 0x2000], 1 */
	0x89, 0xc1,				/* mov ecx, eax */
	0xb8, 4, 0, 0, 0,			/* mov eax, write */
	0xbb, 3, 0, 0, 0,			/* mov ebx, 3 */
	0xba, 1, 0, 0, 0,			/* mov edx, 1 */
	0xcd, 0x80,				/* int 0x80 */
	0xb8, 29, 0, 0, 0,			/* mov eax, pause */
	0xcd, 0x80,				/* int 0x80 */
	0xeb, 0xf7,				/* jmp to pause */
};
/* clang-format on */

static void become_task32(struct zoo *zoo, void *arg)
{
	char *argv[] = { arg, NULL };

	if (dup2(zoo->tell, 3) == 3)
		fcntl(3, F_SETFD, 0);
	execv(arg, argv);
	_exit(1);
}

static int task32(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "task32");
	int tell, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	unsigned char image[256] = { 0 };
	pid_t pid;

	memcpy(image, task32_image, sizeof(task32_image));
	if (fd < 0 || write(fd, image, sizeof(image)) != sizeof(image) || close(fd))
		zoo_die("%s: %s", path, strerror(errno));
	pid = child_fork(zoo, become_task32, path, &tell);
	if (!child_wait(tell))
		return zoo_skip(zoo, "the kernel runs no 32-bit programs");
	say_open(zoo, pid);
	say_num(zoo, "bits", 32);
	say_text(zoo, "exe", path);
	say_mapping(zoo, TRUTH(.start = TASK32_AT, .pages = TASK32_PAGES, .kind = "anon", OWN(3),
			       RUNS({ PRESENT, 0, 3 })));
	say_mapping(zoo, TRUTH(.start = 0x8048000, .pages = 1, .kind = "elf", .perm = "r-xp",
			       .name = path, .file = path, .private_clean = 1,
			       .unsure = UNSURE_ORDER | UNSURE_DIRTY, RUNS({ PRESENT, 0, 1 })));
	say_close(zoo);
	return 0;
}
#else
static int task32(struct zoo *zoo)
{
	return zoo_skip(zoo, "only known how on x86-64");
}
#endif

const struct animal space_animals[] = {
	{ "mount-ns", "its file's path names another one outside", mount_ns, 0, true },
	{ "chroot", "maps a file under a root of its own", chrooted, 0, true },
	{ "lazy-umount", "a file of a file system no longer mounted", lazy_umount, 0, true },
	{ "overlay", "a file on overlayfs", overlay, 0, true },
	{ "pid-ns", "PID 1 of a namespace", pid_ns, 0, true },
	{ "task32", "a 32-bit program", task32, 0, true },
	{ NULL, NULL, NULL, 0, false },
};
