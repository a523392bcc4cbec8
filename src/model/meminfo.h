/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_MEMINFO_H
#define VMVIEW_MODEL_MEMINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* A line of /proc/meminfo: "MemFree:        6293968 kB". */
struct meminfo_line {
	struct bytes key;	/* "MemFree" */
	uint64_t value;		/* bytes where the kernel says kB */
	bool kb;
};

struct meminfo {
	struct meminfo_line *lines;
	size_t count;
};

/* The value of a line in bytes; false where there is no such line. */
static inline bool meminfo_find(const struct meminfo *meminfo, const char *key, uint64_t *out)
{
	for (size_t i = 0; i < meminfo->count; i++) {
		const struct meminfo_line *line = &meminfo->lines[i];

		if (line->kb && bytes_equal(line->key, bytes_of(key))) {
			*out = line->value;
			return true;
		}
	}
	return false;
}

/* Pages of one size of the hugetlb pool. */
struct hugetlb_pool {
	uint64_t size;		/* bytes of a page */
	uint64_t total, free, reserved, surplus;	/* pages */
};

#endif
