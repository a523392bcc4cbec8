/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CACHESTAT_H
#define VMVIEW_SOURCE_CACHESTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of a file is in the page cache. Pages. */
struct cache_counts {
	uint64_t cached, dirty, writeback;
	uint64_t evicted; /* were cached, and reclaim took them */
	uint64_t recently_evicted; /* so lately that reading them again counts as thrashing */
};

/* What a count came from, and so which counts there are: mincore(2) tells cached alone. */
enum cache_source { CACHE_NOT_KNOWN, CACHE_CACHESTAT, CACHE_MINCORE, CACHE_SOURCES };

/*
 * cachestat(2) (Linux 6.5) of len bytes from offset on; len 0: to the end. It reads nothing, and changes
 * no time of access. Returns 0 or -errno: -EPERM where the file is somebody else's (since 6.14).
 * On overlayfs it counts 0, for the pages are those of another inode.
 */
int cachestat_range(int fd, uint64_t offset, uint64_t len, struct cache_counts *counts);

/* Whether cachestat tells the truth of the file: not on overlayfs. Of a file that is open. */
bool cachestat_is_true(int fd);

/*
 * Whether it counts dirty pages of the file: not of memory that is never written back (tmpfs, ramfs,
 * hugetlbfs), of which it says 0.
 */
bool cachestat_knows_dirty(int fd);

/*
 * Whether mincore(2) tells the truth of the file: of one that we may neither write nor own it says that
 * all is there.
 */
bool mincore_is_true(int fd);

/*
 * Add the cached pages of len bytes from offset on, whole pages of the file, by mincore(2). The file has to
 * be open with O_NOATIME, since mapping it counts as an access. Returns 0 or -errno: -EPERM where mincore
 * would not tell the truth.
 */
int mincore_range(int fd, uint64_t offset, uint64_t len, size_t page_size, uint64_t *cached);

#endif
