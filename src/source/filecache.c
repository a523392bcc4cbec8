/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/filecache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "model/page.h"
#include "source/cachestat.h"
#include "source/root.h"

enum { MINCORE_PAGES = 1 << 16 };

int filecache_has_start(int fd)
{
	struct cache_counts counts = { 0 };
	int rc = cachestat_range(fd, 0, 1, &counts);

	return rc ? rc : counts.cached > 0;
}

static bool is_all_or_nothing(uint64_t count, uint64_t all)
{
	return !count || count == all;
}

/* Halve until all pages of a piece are alike. */
static int ask_pages(int fd, size_t page_size, uint8_t *pages, size_t from, size_t count)
{
	struct cache_counts counts = { 0 };
	int rc = cachestat_range(fd, (uint64_t)from * page_size, (uint64_t)count * page_size,
				 &counts);

	if (rc || !counts.cached)
		return rc;
	if (count > 1 &&
	    !(is_all_or_nothing(counts.cached, count) && is_all_or_nothing(counts.dirty, count) &&
	      is_all_or_nothing(counts.writeback, count))) {
		rc = ask_pages(fd, page_size, pages, from, count / 2);
		return rc ? rc :
			    ask_pages(fd, page_size, pages, from + count / 2, count - count / 2);
	}
	memset(pages + from,
	       FILECACHE_CACHED | (counts.dirty ? FILECACHE_DIRTY : 0) |
		       (counts.writeback ? FILECACHE_WRITEBACK : 0),
	       count);
	return 0;
}

static int mincore_pages(int fd, size_t page_size, uint8_t *pages, size_t count)
{
	unsigned char *core = mem_alloc(MINCORE_PAGES);
	int rc = mincore_is_true(fd) ? 0 : -EPERM;

	for (size_t from = 0; rc == 0 && from < count; from += MINCORE_PAGES) {
		size_t some = count - from < MINCORE_PAGES ? count - from : MINCORE_PAGES;
		void *at = mmap(NULL, some * page_size, PROT_NONE, MAP_SHARED, fd,
				(off_t)(from * page_size));

		if (at == MAP_FAILED) {
			rc = -errno;
			break;
		}
		if (mincore(at, some * page_size, core))
			rc = -errno;
		munmap(at, some * page_size);
		for (size_t i = 0; rc == 0 && i < some; i++)
			pages[from + i] |= core[i] & 1 ? FILECACHE_CACHED : 0;
	}
	free(core);
	return rc;
}

const char *filecache_no_dirty(const struct filecache *file)
{
	if (!cachestat_is_true(file->fd))
		return "unsupported: cachestat does not see the pages of an overlay";
	if (!cachestat_knows_dirty(file->fd))
		return "unsupported: cachestat counts no dirty pages of memory";
	return "unsupported: needs cachestat (Linux 6.5)";
}

uint64_t filecache_frame(const struct filecache *file, const struct root *root, size_t page_size,
			 uint64_t page)
{
	uint64_t word = 0;
	void *at;
	int fd;

	if (file->fd < 0 || !(fcntl(file->fd, F_GETFL) & O_NOATIME))
		return 0;
	at = mmap(NULL, page_size, PROT_READ, MAP_SHARED, file->fd, (off_t)(page * page_size));
	if (at == MAP_FAILED)
		return 0;
	fd = root_openat(root, O_RDONLY, NULL, "proc/self/pagemap");
	/* with MADV_RANDOM nothing is read ahead, and going away counts as no use of the page */
	if (fd < 0 || madvise(at, page_size, MADV_RANDOM) ||
	    madvise(at, page_size, MADV_POPULATE_READ) ||
	    pread(fd, &word, sizeof(word), (off_t)((uintptr_t)at / page_size * sizeof(word))) !=
		    sizeof(word))
		word = 0;
	if (fd >= 0)
		close(fd);
	munmap(at, page_size);
	return word & PAGEMAP_PRESENT ? pagemap_pfn(word) : 0;
}

int filecache_pages(const struct filecache *file, size_t page_size, enum filecache_way way,
		    uint8_t *pages, size_t count, unsigned *has)
{
	int rc = -ENOSYS;

	*has = 0;
	if (file->fd < 0)
		return -EACCES;
	if (!count)
		return 0;
	if (way != FILECACHE_MINCORE && cachestat_is_true(file->fd)) {
		rc = ask_pages(file->fd, page_size, pages, 0, count);
		*has = FILECACHE_CACHED;
		if (cachestat_knows_dirty(file->fd))
			*has |= FILECACHE_DIRTY | FILECACHE_WRITEBACK;
	}
	if (rc == -ENOSYS && way != FILECACHE_CACHESTAT) {
		rc = mincore_pages(file->fd, page_size, pages, count);
		*has = FILECACHE_CACHED;
	}
	if (rc)
		*has = 0;
	return rc;
}
