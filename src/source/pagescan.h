/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PAGESCAN_H
#define VMVIEW_SOURCE_PAGESCAN_H

#include <stddef.h>
#include <stdint.h>

/* ioctl(PAGEMAP_SCAN) on /proc/PID/pagemap (Linux 6.7, Documentation/admin-guide/mm/pagemap.rst). */
enum {
	PAGESCAN_FILE = 1 << 2,
	PAGESCAN_PRESENT = 1 << 3,
	PAGESCAN_SWAPPED = 1 << 4,	/* any other entry: swap, guard, markers, migration */
	PAGESCAN_ZERO = 1 << 5,		/* the zero page or the huge zero page */
	PAGESCAN_HUGE = 1 << 6,		/* mapped by a PMD, or of a hugetlb mapping, present or not */
	PAGESCAN_SOFT_DIRTY = 1 << 7,
	PAGESCAN_GUARD = 1 << 8,	/* since 6.16 */
};

struct pagescan_request {
	uint64_t start, end;	/* addresses, of whole pages */
	uint64_t max_pages;	/* stop after so many pages; 0: no limit */
	uint64_t any;		/* report pages in one of these categories */
	uint64_t result;	/* and say which of these they are in */
};

/* As the kernel writes it: pages one behind the other that are in the same categories. */
struct pagescan_region {
	uint64_t start, end;	/* addresses */
	uint64_t categories;
};

/*
 * Scan until the end, max_pages or count regions are reached; request->start then is where to go on.
 * Never changes the target. Returns the number of regions, or -errno: -ENOTTY or -EINVAL where the
 * kernel does not have it (or a category), -ESRCH where the address space is gone.
 */
int pagescan(int pagemap_fd, struct pagescan_request *request, struct pagescan_region *regions,
	     size_t count);

#endif
