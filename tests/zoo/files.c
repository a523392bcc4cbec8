/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings of files on disk: clean, dirty, copied, deleted, replaced, ELF under any name. */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RW	   (PROT_READ | PROT_WRITE)
/* A file system may keep a file in folios of any size. */
#define FILE_PAGES .unsure = UNSURE_ORDER, .kpf = "uptodate mmap", .kpf_not = "anonymous swapbacked"

static uint64_t inode_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		zoo_die("fstat: %s", strerror(errno));
	return st.st_ino;
}

/* PATH with the kernel's mark for a name that is gone. */
static char *deleted_name(const char *path)
{
	char *name;

	if (asprintf(&name, "%s (deleted)", path) < 0)
		zoo_die("out of memory");
	return name;
}

static int file_clean(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-clean");
	int fd = file_make(zoo, path, 16);
	char *p = den_map(zoo, DEN(.pages = 16, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));

	den_populate(zoo, p, 16);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 16, .kind = "file", .perm = "r--p",
				  .name = path, .file = path, .inode = inode_of(fd),
				  .private_clean = 16, FILE_PAGES, RUNS({ PRESENT, 0, 16 })));
}

static int file_untouched(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-untouched");
	int fd = file_make(zoo, path, 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));

	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .perm = "r--p",
				  .name = path, .file = path, .inode = inode_of(fd)));
}

/* The middle of a file. */
static int file_offset(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-offset");
	int fd = file_make(zoo, path, 16);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = PROT_READ, .flags = MAP_SHARED, .fd = fd,
				   .offset = (off_t)(4 * zoo->page)));

	den_populate(zoo, p, 8);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .perm = "r--s",
				  .name = path, .file = path, .inode = inode_of(fd),
				  .offset = 4 * zoo->page, .private_clean = 8, FILE_PAGES,
				  RUNS({ PRESENT, 0, 8 })));
}

struct dirt {
	const struct zoo *zoo;
	char *p;
};

/* The kernel writes dirty pages out after a while, and then they are clean: dirty them again. */
static void *keep_dirty(void *arg)
{
	const struct dirt *dirt = arg;

	for (;;) {
		den_touch(dirt->zoo, dirt->p, 2, 3);
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	return NULL;
}

static int file_dirty(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-dirty");
	int fd = file_make(zoo, path, 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));
	struct dirt *dirt = malloc(sizeof(*dirt));
	pthread_t thread;

	if (!dirt)
		zoo_die("out of memory");
	*dirt = (struct dirt){ zoo, p };
	den_touch(zoo, p, 2, 3);
	if (pthread_create(&thread, NULL, keep_dirty, dirt))
		zoo_die("no thread");
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .perm = "rw-s",
				  .name = path, .file = path, .inode = inode_of(fd),
				  .private_dirty = 3, FILE_PAGES, RUNS({ PRESENT, 2, 3 })));
}

/* Written through the mapping and out to disk: present, and clean again. */
static int file_synced(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-synced");
	int fd = file_make(zoo, path, 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED, .fd = fd));

	den_touch(zoo, p, 1, 4);
	if (fsync(fd))
		zoo_die("fsync: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .perm = "rw-s",
				  .name = path, .file = path, .inode = inode_of(fd),
				  .private_clean = 4, FILE_PAGES, RUNS({ PRESENT, 1, 4 })));
}

/* All read, three written: those are the process's own and anonymous. */
static int file_cow(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-cow");
	int fd = file_make(zoo, path, 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_PRIVATE, .fd = fd));

	den_populate(zoo, p, 8);
	den_touch(zoo, p, 2, 3);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .name = path,
				  .file = path, .inode = inode_of(fd), OWN(3), .private_clean = 5,
				  .unsure = UNSURE_ORDER, RUNS({ PRESENT, 0, 8 })));
}

/* The mapping is longer than the file: nothing can be behind the page of its last byte. */
static int file_short(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-short");
	int fd = file_make(zoo, path, 4);
	char *p;

	if (ftruncate(fd, (off_t)(3 * zoo->page + 100)))
		zoo_die("ftruncate: %s", strerror(errno));
	p = den_map(zoo, DEN(.pages = 8, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));
	den_populate(zoo, p, 4);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .perm = "r--p",
				  .name = path, .file = path, .inode = inode_of(fd),
				  .unsure = UNSURE_ORDER | UNSURE_DIRTY, .private_clean = 4,
				  RUNS({ PRESENT, 0, 4 })));
}

/* One file, two mappings in one process: the kernel calls its pages shared. */
static int file_twice(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-twice");
	int fd = file_make(zoo, path, 8);
	char *dens[2];

	for (int i = 0; i < 2; i++) {
		dens[i] = den_map(zoo, DEN(.pages = 8, .prot = PROT_READ, .flags = MAP_PRIVATE,
					   .fd = fd));
		den_populate(zoo, dens[i], 8);
	}
	say_open(zoo, 0);
	for (int i = 0; i < 2; i++)
		say_mapping(zoo,
			    TRUTH(.start = addr_of(dens[i]), .pages = 8, .kind = "file",
				  .perm = "r--p", .name = path, .file = path, .inode = inode_of(fd),
				  .shared_clean = 8, .pss_shared = 4 * zoo->page, .map_count = 2,
				  FILE_PAGES, RUNS({ PRESENT, 0, 8 })));
	say_close(zoo);
	return 0;
}

static int file_deleted(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-deleted");
	int fd = file_make(zoo, path, 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));

	den_populate(zoo, p, 8);
	if (unlink(path))
		zoo_die("unlink: %s", strerror(errno));
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .perm = "r--p",
			     .name = deleted_name(path), .deleted = true, .inode = inode_of(fd),
			     .private_clean = 8, FILE_PAGES, RUNS({ PRESENT, 0, 8 })));
}

/* Another file took its name: the path leads to something else than what is mapped. */
static int file_replaced(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "file-replaced");
	char *other = zoo_path(zoo->scratch, "file-replaced.new");
	int fd = file_make(zoo, path, 8), new_fd = file_make(zoo, other, 8);
	char *p = den_map(zoo, DEN(.pages = 8, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));

	den_populate(zoo, p, 8);
	if (rename(other, path))
		zoo_die("rename: %s", strerror(errno));
	say_open(zoo, 0);
	say_num(zoo, "inode_at_path", inode_of(new_fd));
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "file", .perm = "r--p",
			       .name = deleted_name(path), .deleted = true, .inode = inode_of(fd),
			       .private_clean = 8, FILE_PAGES, RUNS({ PRESENT, 0, 8 })));
	say_close(zoo);
	close(new_fd);
	return 0;
}

/* A copy of this very program at PATH; returns its descriptor, written out to disk. */
static int copy_self(const struct zoo *zoo, const char *path)
{
	int from = open(zoo->self, O_RDONLY | O_CLOEXEC);
	int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	char buf[4096];
	ssize_t n;

	if (from < 0 || to < 0)
		zoo_die("%s: %s", path, strerror(errno));
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			zoo_die("%s: %s", path, strerror(errno));
	close(from);
	if (fsync(to))
		zoo_die("fsync: %s", strerror(errno));
	return to;
}

/* An ELF file that is not called like one; arg: on tmpfs. Four pages read, one written. */
static int elf_data(struct zoo *zoo)
{
	char *path;
	char *p;
	int fd;

	if (zoo->arg && !zoo->tmpfs)
		return zoo_skip(zoo, "/dev/shm is no tmpfs");
	path = zoo_path(zoo->arg ? zoo->tmpfs : zoo->scratch, "picture.jpg");
	fd = copy_self(zoo, path);
	p = den_map(zoo, DEN(.pages = 4, .prot = RW, .flags = MAP_PRIVATE, .fd = fd));
	den_populate(zoo, p, 4);
	den_touch(zoo, p, 2, 1);
	/* Pages of tmpfs are born dirty. */
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 4, .kind = "elf", .name = path,
			     .file = path, .inode = inode_of(fd), .anonymous = 1,
			     .private_clean = zoo->arg ? 0 : 3, .private_dirty = zoo->arg ? 4 : 1,
			     .unsure = UNSURE_ORDER, RUNS({ PRESENT, 0, 4 })));
}

/* Says it is ELF, and is not: what it should be called is nobody's business but the reader's. */
static int elf_broken(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "libbroken.so.1");
	int fd = file_make(zoo, path, 2);
	char *p;

	if (pwrite(fd, "\177ELF\2\1\1", 7, 0) != 7 || fsync(fd))
		zoo_die("%s: %s", path, strerror(errno));
	p = den_map(zoo, DEN(.pages = 2, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));
	den_populate(zoo, p, 2);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 2, .perm = "r--p", .name = path,
				  .file = path, .inode = inode_of(fd), .private_clean = 2,
				  FILE_PAGES, RUNS({ PRESENT, 0, 2 })));
}

/* A page of the first disk that may be read. */
static int block_device(struct zoo *zoo)
{
	char line[256], name[64], path[80];
	FILE *f = fopen("/proc/partitions", "re");
	int fd = -1;
	char *p;

	while (f && fd < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d %*d %*d %63s", name) != 1)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (f)
		fclose(f);
	if (fd < 0)
		return zoo_skip(zoo, "no block device may be read");
	p = den_map(zoo, DEN(.pages = 1, .prot = PROT_READ, .flags = MAP_SHARED, .fd = fd));
	den_populate(zoo, p, 1);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 1, .kind = "device", .perm = "r--s",
				  .name = strdup(path), .inode = inode_of(fd),
				  .unsure = UNSURE_ORDER | UNSURE_DIRTY, .private_clean = 1,
				  RUNS({ PRESENT, 0, 1 })));
}

const struct animal file_animals[] = {
	{ "file-clean", "a file, read and clean", file_clean, 0, false },
	{ "file-untouched", "a file, nothing of it touched", file_untouched, 0, false },
	{ "file-offset", "the middle of a file", file_offset, 0, false },
	{ "file-dirty", "three pages of a shared file written", file_dirty, 0, true },
	{ "file-synced", "four pages written and synced", file_synced, 0, false },
	{ "file-cow", "a private file mapping, three of eight pages copied", file_cow, 0, false },
	{ "file-short", "a mapping longer than its file", file_short, 0, false },
	{ "file-twice", "a file mapped twice by one process", file_twice, 0, false },
	{ "file-deleted", "a file that is gone", file_deleted, 0, false },
	{ "file-replaced", "a file whose name another one took", file_replaced, 0, false },
	{ "elf-data", "an ELF file not called like one", elf_data, 0, false },
	{ "elf-tmpfs", "an ELF file on tmpfs", elf_data, 1, false },
	{ "elf-broken", "an ELF header and noise", elf_broken, 0, false },
	{ "block-device", "a page of a disk", block_device, 0, false },
	{ NULL, NULL, NULL, 0, false },
};
