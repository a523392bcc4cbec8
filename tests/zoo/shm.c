/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared memory of any origin, mapped by one process alone. */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

#define RW  (PROT_READ | PROT_WRITE)
#define SHM .kind = "shm", .perm = "rw-s", .kpf = "swapbacked", .kpf_not = "anonymous ksm thp"

static int memfd_make(const struct zoo *zoo, const char *name, size_t pages)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)(pages * zoo->page)))
		zoo_die("memfd: %s", strerror(errno));
	return fd;
}

static int memfd(struct zoo *zoo)
{
	int fd = memfd_make(zoo, "zoo", 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));

	den_touch(zoo, p, 2, 3);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, SHM, .private_dirty = 3,
				  .name = "/memfd:zoo (deleted)", RUNS({ PRESENT, 2, 3 })));
}

/* All pages are there, but only two are in this mapping. */
static int memfd_cold(struct zoo *zoo)
{
	int fd = memfd_make(zoo, "zoo cold", 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));
	char c = 1;

	for (size_t i = 0; i < 8; i++)
		if (pwrite(fd, &c, 1, (off_t)(i * zoo->page)) != 1)
			zoo_die("pwrite: %s", strerror(errno));
	den_touch(zoo, p, 4, 2);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, SHM, .private_dirty = 2,
				  .name = "/memfd:zoo cold (deleted)", RUNS({ PRESENT, 4, 2 })));
}

/* Twice in one process, six pages here and four there, two of them in both. */
static int memfd_twice(struct zoo *zoo)
{
	int fd = memfd_make(zoo, "zoo twice", 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));
	char *q = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));

	den_touch(zoo, p, 0, 6);
	den_touch(zoo, q, 4, 4);
	say_open(zoo, 0);
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, SHM, .private_dirty = 4,
			       .shared_dirty = 2, .pss_shared = zoo->page,
			       .pss_dirty_shared = zoo->page, .unsure = UNSURE_MAP_COUNT,
			       .name = "/memfd:zoo twice (deleted)", RUNS({ PRESENT, 0, 6 })));
	say_mapping(zoo, TRUTH(.start = addr_of(q), .pages = 8, SHM, .private_dirty = 2,
			       .shared_dirty = 2, .pss_shared = zoo->page,
			       .pss_dirty_shared = zoo->page, .unsure = UNSURE_MAP_COUNT,
			       .name = "/memfd:zoo twice (deleted)", RUNS({ PRESENT, 4, 4 })));
	say_close(zoo);
	return 0;
}

/* Private over a memfd: four pages of the file, and two of them copied. */
static int memfd_private(struct zoo *zoo)
{
	int fd = memfd_make(zoo, "zoo private", 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_PRIVATE, .fd = fd));

	den_touch(zoo, p, 0, 2);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, OWN(2),
				  .name = "/memfd:zoo private (deleted)", RUNS({ PRESENT, 0, 2 })));
}

/* MAP_SHARED of a descriptor for reading: `s` in maps, but VmFlags lack sh. */
static int shm_readonly(struct zoo *zoo)
{
	char *path, *p;
	int fd, ro;

	if (!zoo->tmpfs)
		return zoo_skip(zoo, "/dev/shm is no tmpfs");
	path = zoo_path(zoo->tmpfs, "shm-readonly");
	fd = file_make(zoo, path, 4);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	if (ro < 0)
		zoo_die("%s: %s", path, strerror(errno));
	close(fd);
	p = den_map(zoo, DEN(.pages = 4, .prot = PROT_READ, .flags = MAP_SHARED, .fd = ro));
	den_populate(zoo, p, 4);
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 4, .kind = "shm", .perm = "r--s",
			     .name = path, .file = path, .private_dirty = 4, .flags = "ms",
			     .flags_not = "sh mw", .kpf = "swapbacked", RUNS({ PRESENT, 0, 4 })));
}

static int tmpfs_file(struct zoo *zoo)
{
	struct stat st;
	char *path, *p;
	int fd;

	if (!zoo->tmpfs)
		return zoo_skip(zoo, "/dev/shm is no tmpfs");
	path = zoo_path(zoo->tmpfs, "tmpfs-file");
	fd = file_make(zoo, path, 8);
	p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));
	den_touch(zoo, p, 1, 4);
	if (fstat(fd, &st))
		zoo_die("fstat: %s", strerror(errno));
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 8, SHM, .private_dirty = 4, .name = path,
			     .file = path, .inode = st.st_ino, RUNS({ PRESENT, 1, 4 })));
}

static int anon_shared(struct zoo *zoo)
{
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS));

	den_touch(zoo, p, 0, 5);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, SHM, .private_dirty = 5,
				  .name = "/dev/zero (deleted)", RUNS({ PRESENT, 0, 5 })));
}

/*
 * arg: MAP_SHARED makes shared memory of it. Private, it is anonymous memory with the name of a
 * device; whether to call it anon or device is a matter of taste.
 */
static int dev_zero(struct zoo *zoo)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char *p;

	if (fd < 0)
		return zoo_skip(zoo, "/dev/zero: %s", strerror(errno));
	p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = zoo->arg, .fd = fd));
	den_touch(zoo, p, 0, 2);
	if (zoo->arg == MAP_SHARED)
		return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, SHM, .private_dirty = 2,
					  .name = "/dev/zero (deleted)", RUNS({ PRESENT, 0, 2 })));
	madvise(p, 8 * zoo->page, MADV_NOHUGEPAGE);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, OWN(2), .name = "/dev/zero",
				  .kpf = "anonymous", RUNS({ PRESENT, 0, 2 })));
}

/* Removed at once, so that nothing stays behind; it lives on while it is attached. */
static int sysv(struct zoo *zoo)
{
	key_t key = zoo->arg ? (key_t)(0x5a000000 | (getpid() & 0xffffff)) : IPC_PRIVATE;
	int id = shmget(key, 8 * zoo->page, IPC_CREAT | IPC_EXCL | 0600);
	char *bed, *p, name[40];

	if (id < 0)
		return zoo_skip(zoo, "shmget: %s", strerror(errno));
	bed = den_map(zoo, DEN(.pages = 8, .prot = PROT_NONE,
			       .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE));
	p = shmat(id, bed, SHM_REMAP);
	shmctl(id, IPC_RMID, NULL);
	if (p != bed)
		zoo_die("shmat: %s", strerror(errno));
	den_touch(zoo, p, 3, 4);
	snprintf(name, sizeof(name), "/SYSV%08x (deleted)", (unsigned)key);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, SHM, .private_dirty = 4,
				  .name = name, .inode = (uint64_t)id, RUNS({ PRESENT, 3, 4 })));
}

/*
 * Memory that not even the kernel maps: locked, not to be migrated. Its pages are on the list of
 * unevictable ones once the CPU's batch has been drained.
 */
static int secretmem(struct zoo *zoo)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);
	char *p;

	if (fd < 0)
		return zoo_skip(zoo, "memfd_secret: %s", strerror(errno));
	if (ftruncate(fd, (off_t)(8 * zoo->page)))
		zoo_die("ftruncate: %s", strerror(errno));
	p = den_try(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));
	if (p == MAP_FAILED)
		return zoo_skip(zoo, "secretmem: %s", strerror(errno));
	den_touch(zoo, p, 0, 3);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "shm", .perm = "rw-s",
				  .name = "/secretmem (deleted)", .private_dirty = 3,
				  .locked = true, .flags = "lo dd", .kpf = "mlocked",
				  .kpf_not = "anonymous swapbacked", RUNS({ PRESENT, 0, 3 })));
}

const struct animal shm_animals[] = {
	{ "memfd", "three of eight pages of a memfd", memfd, 0, false },
	{ "memfd-cold", "a memfd in memory, little of it mapped", memfd_cold, 0, false },
	{ "memfd-twice", "a memfd mapped twice by one process", memfd_twice, 0, false },
	{ "memfd-private", "a private mapping of a memfd", memfd_private, 0, false },
	{ "shm-readonly", "shared, but for reading only", shm_readonly, 0, false },
	{ "tmpfs-file", "a file on tmpfs", tmpfs_file, 0, false },
	{ "anon-shared", "shared anonymous memory", anon_shared, 0, false },
	{ "dev-zero-shared", "/dev/zero, shared", dev_zero, MAP_SHARED, false },
	{ "dev-zero-private", "/dev/zero, private", dev_zero, MAP_PRIVATE, false },
	{ "sysv", "SysV shared memory, IPC_PRIVATE", sysv, 0, false },
	{ "sysv-key", "SysV shared memory with a key", sysv, 1, false },
	{ "secretmem", "memfd_secret", secretmem, 0, false },
	{ NULL, NULL, NULL, 0, false },
};
