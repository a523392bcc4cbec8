/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_RANGE_H
#define VMVIEW_ANALYSIS_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct error;
struct vma;

/* What of an address space is asked for, as a user types it. */
enum range_type {
	RANGE_ALL,
	RANGE_MAPPING,	/* the mapping that holds start */
	RANGE_SPAN,	/* from start to end, as far as something is mapped */
	RANGE_NAME,	/* all mappings of this name */
};

struct range {
	enum range_type type;
	uint64_t start, end;
	struct bytes name;
};

/*
 * Parse "ADDR", "LO-HI", "LO,HI", "LO+SIZE" (hex addresses with or without 0x; SIZE "64K", "0x1000"),
 * or a name: "heap", "stack", "[vdso]", "libc", "libc.so.6", a path. What can be an address is one.
 * Returns 0, or -EINVAL.
 */
int range_parse(struct range *range, const char *text, struct error *err);

/*
 * Does the mapping belong to the range? *start and *end then are the part that does, made wider to
 * whole pages.
 */
bool range_of(const struct range *range, const struct vma *vma, uint64_t page_size, uint64_t *start,
	      uint64_t *end);

#endif
