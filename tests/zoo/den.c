/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* <linux/fs.h> has this since 6.7. */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct scan_region {
	uint64_t start, end, categories;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)
#define SCAN_HUGE  (1 << 6)

/*
 * The bed is reserved without access, and with MAP_NORESERVE: an animal that is itself a plain
 * inaccessible mapping must not merge with it.
 */
char *den_try(const struct zoo *zoo, const struct den *den)
{
	size_t align = den->align ? den->align : zoo->page;
	size_t len = den->pages * zoo->page, bed_len = len + align + 2 * zoo->page;
	char *bed, *den_addr, *p;
	uint64_t addr;

	bed = mmap(NULL, bed_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bed == MAP_FAILED)
		return bed;
	addr = (addr_of(bed) + zoo->page + align - 1) / align * align;
	den_addr = bed + (addr - addr_of(bed));
	p = mmap(den_addr, len, den->prot, den->flags | MAP_FIXED,
		 den->flags & MAP_ANONYMOUS ? -1 : den->fd, den->offset);
	if (p == MAP_FAILED) {
		int err = errno;

		munmap(bed, bed_len);
		errno = err;
	}
	return p;
}

char *den_map(const struct zoo *zoo, const struct den *den)
{
	char *p = den_try(zoo, den);

	if (p == MAP_FAILED)
		zoo_die("%s: mmap of %zu pages: %s", zoo->animal, den->pages, strerror(errno));
	return p;
}

char *den_anon(const struct zoo *zoo, size_t pages)
{
	char *p = den_map(zoo, DEN(.pages = pages, .prot = PROT_READ | PROT_WRITE,
				   .flags = MAP_PRIVATE | MAP_ANONYMOUS));

	/* EINVAL: a kernel without huge pages */
	if (madvise(p, pages * zoo->page, MADV_NOHUGEPAGE) && errno != EINVAL)
		zoo_die("%s: MADV_NOHUGEPAGE: %s", zoo->animal, strerror(errno));
	return p;
}

void den_touch(const struct zoo *zoo, char *den, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		*(volatile uint64_t *)(void *)(den + i * zoo->page) = addr_of(den) + i;
}

void den_noise(const struct zoo *zoo, char *den, size_t first, size_t count)
{
	char *p = den + first * zoo->page, *end = p + count * zoo->page;

	while (p < end) {
		ssize_t n = getrandom(p, (size_t)(end - p), 0);

		if (n < 0 && errno != EINTR)
			zoo_die("getrandom: %s", strerror(errno));
		p += n > 0 ? n : 0;
	}
}

void den_read(const struct zoo *zoo, const char *den, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		(void)*(const volatile char *)(den + i * zoo->page);
}

void den_populate(const struct zoo *zoo, char *den, size_t pages)
{
	if (!madvise(den, pages * zoo->page, MADV_POPULATE_READ))
		return;
	if (errno != EINVAL) /* before 5.14 */
		zoo_die("%s: MADV_POPULATE_READ: %s", zoo->animal, strerror(errno));
	den_read(zoo, den, 0, pages);
}

int file_make(const struct zoo *zoo, const char *path, size_t pages)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char *buf = malloc(zoo->page);

	if (fd < 0 || !buf)
		zoo_die("%s: %s", path, strerror(errno));
	for (size_t i = 0; i < pages; i++) {
		den_noise(zoo, buf, 0, 1);
		if (pwrite(fd, buf, zoo->page, (off_t)(i * zoo->page)) != (ssize_t)zoo->page)
			zoo_die("%s: %s", path, strerror(errno));
	}
	free(buf);
	if (fsync(fd))
		zoo_die("%s: fsync: %s", path, strerror(errno));
	return fd;
}

int page_is_huge(const void *addr)
{
	struct scan_region region = { 0 };
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = addr_of(addr),
		.end = addr_of(addr) + (uint64_t)sysconf(_SC_PAGESIZE),
		.vec = addr_of(&region),
		.vec_len = 1,
		.return_mask = SCAN_HUGE,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = ioctl(fd, SCAN_IOCTL, &arg);
	close(fd);
	if (rc < 0)
		return -1;
	return rc == 1 && (region.categories & SCAN_HUGE);
}

ssize_t pages_swapped(const struct zoo *zoo, const void *addr, size_t pages)
{
	uint64_t word;
	ssize_t count = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < pages; i++) {
		off_t at = (off_t)((addr_of(addr) / zoo->page + i) * sizeof(word));

		if (pread(fd, &word, sizeof(word), at) != sizeof(word)) {
			close(fd);
			return -1;
		}
		if (word >> 62 & 1)
			count++;
	}
	close(fd);
	return count;
}
