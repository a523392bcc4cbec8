/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FILECACHE_H
#define VMVIEW_SOURCE_FILECACHE_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct root;

/*
 * A file that the user names, and which of its pages are in the page cache. Nothing of it is ever read:
 * cachestat(2) (Linux 6.5), else mincore(2), ask about the cache alone.
 */
struct filecache {
	int fd;			/* open for reading, or -1: see reason */
	const char *reason;	/* why it could not be opened for reading; NULL: it was */
	uint64_t size;		/* bytes */
	uint64_t inode;		/* as maps shows them, which stat may not (btrfs, overlayfs) */
	uint32_t dev_major, dev_minor;
	char base[256];		/* the last part of its path, links followed; "": not known */
};

/*
 * Open it. A child does, which is left behind if it does not answer in a second: only regular files on
 * file systems that do not make their reader wait (mounts.h) are opened, and first by O_PATH.
 * Returns 0 or -errno.
 */
int filecache_open(struct filecache *file, const struct root *root, const char *path,
		   struct error *err);
void filecache_close(struct filecache *file);

enum filecache_bit { FILECACHE_CACHED = 1, FILECACHE_DIRTY = 2, FILECACHE_WRITEBACK = 4 };

enum filecache_way { FILECACHE_ANY, FILECACHE_CACHESTAT, FILECACHE_MINCORE };

/*
 * Set these bits in a byte of each of count pages from the first on. Returns 0, or -errno: -EPERM
 * where the file is somebody else's. *has is which bits could be told.
 */
int filecache_pages(const struct filecache *file, size_t page_size, enum filecache_way way,
		    uint8_t *pages, size_t count, unsigned *has);

/* Why dirty pages can not be told, of one that is open; the words. */
const char *filecache_no_dirty(const struct filecache *file);

/*
 * The frame of a page of the file that is cached, or 0: not known, for want of rights. It is mapped for a
 * moment, which no time of access and no order of reclaim shows.
 */
uint64_t filecache_frame(const struct filecache *file, const struct root *root, size_t page_size,
			 uint64_t page);

/*
 * Whether the first page of a file is in memory: 1, 0, or -errno (-EPERM where the file is somebody
 * else's, -ENOSYS before Linux 6.5). Reads nothing and never waits.
 */
int filecache_has_start(int fd);

#endif
