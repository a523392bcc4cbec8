/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CLEAR_REFS_H
#define VMVIEW_SOURCE_CLEAR_REFS_H

#include <stdint.h>

struct error;
struct procdir;

/*
 * Clear bits of all pages of a process: /proc/PID/clear_refs. This is all that vmview ever writes to
 * a process, and it does so only for an option that says it. It walks the whole page table with the
 * mmap_lock held, and the kernel, which goes by the referenced bits when it reclaims memory, takes
 * pages for unused that were in use until then.
 */
enum clear_refs_what {
	CLEAR_REFERENCED = 1, /* accessed bits in the page table, and the frames' flag */
	CLEAR_SOFT_DIRTY = 4, /* pages are read-only until they are written again */
};

/* *took_ns: the longest that the process may have had to wait for it. Returns 0 or -errno. */
int clear_refs(const struct procdir *dir, enum clear_refs_what what, uint64_t *took_ns,
	       struct error *err);

#endif
