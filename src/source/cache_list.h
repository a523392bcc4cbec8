/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CACHE_LIST_H
#define VMVIEW_SOURCE_CACHE_LIST_H

#include "base/bytes.h"
#include "source/cachestat.h"

/*
 * What a recording has of the page cache: vmview/cache, a file a line, in pages but for the size, which is in
 * bytes; device as in maps:
 *
 *	fe:00 1234 SIZE CACHED DIRTY WRITEBACK EVICTED RECENTLY_EVICTED
 *
 * Where mincore told it, the line ends with CACHED.
 */
struct cache_entry {
	uint64_t dev, inode, size;	/* dev: major << 32 | minor */
	enum cache_source source;
	struct cache_counts counts;
};

typedef void (*cache_entry_sink)(void *ctx, const struct cache_entry *entry);

/* Pure. Lines that are none are passed over; returns how many were. */
size_t cache_list_parse(struct bytes text, cache_entry_sink sink, void *ctx);

#endif
