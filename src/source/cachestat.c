/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cachestat.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/num.h"

#ifndef __NR_cachestat
#define __NR_cachestat 451 /* since Linux 6.5; include/uapi/linux/mman.h */
#endif

enum { PIECE_PAGES = 1 << 16 };

struct cache_range {
	uint64_t offset, len;
};

int cachestat_range(int fd, uint64_t offset, uint64_t len, struct cache_counts *counts)
{
	struct cache_range range = { offset, len };

	return syscall(__NR_cachestat, fd, &range, counts, 0) ? -errno : 0;
}

bool cachestat_is_true(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) || fs.f_type != OVERLAYFS_SUPER_MAGIC;
}

bool cachestat_knows_dirty(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) || (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC &&
				    fs.f_type != HUGETLBFS_MAGIC);
}

bool mincore_is_true(int fd)
{
	char link[40] = "/proc/self/fd/";
	struct stat st;
	size_t len = strlen(link);

	len += num_u64(link + len, (uint64_t)fd);
	link[len] = '\0';
	return (fstat(fd, &st) == 0 && st.st_uid == geteuid()) || access(link, W_OK) == 0 ||
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_FOWNER);
}

static int count_piece(int fd, uint64_t offset, size_t pages, size_t page_size, uint64_t *cached)
{
	unsigned char in_core[PIECE_PAGES];
	void *at = mmap(NULL, pages * page_size, PROT_NONE, MAP_SHARED, fd, (off_t)offset);
	int rc = 0;

	if (at == MAP_FAILED)
		return -errno;
	if (mincore(at, pages * page_size, in_core))
		rc = -errno;
	munmap(at, pages * page_size);
	for (size_t i = 0; rc == 0 && i < pages; i++)
		*cached += in_core[i] & 1;
	return rc;
}

int mincore_range(int fd, uint64_t offset, uint64_t len, size_t page_size, uint64_t *cached)
{
	uint64_t pages = len / page_size + (len % page_size != 0);
	int rc = 0;

	if (!(fcntl(fd, F_GETFL) & O_NOATIME) || !mincore_is_true(fd))
		return -EPERM;
	for (uint64_t from = 0; rc == 0 && from < pages; from += PIECE_PAGES) {
		size_t some = pages - from < PIECE_PAGES ? (size_t)(pages - from) : PIECE_PAGES;

		rc = count_piece(fd, offset + from * page_size, some, page_size, cached);
	}
	return rc;
}
