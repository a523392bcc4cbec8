/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FLAG_SETS_H
#define VMVIEW_ANALYSIS_FLAG_SETS_H

#include <stddef.h>
#include <stdint.h>

/* How many pages have which set of flags: few sets, many pages. */
struct flag_sets {
	struct flag_set {
		uint64_t flags, pages;
	} * sets; /* heap */
	size_t count, cap, last;
};

void flag_sets_fini(struct flag_sets *sets);

void flag_sets_add(struct flag_sets *sets, uint64_t flags, uint64_t pages);

void flag_sets_merge(struct flag_sets *into, const struct flag_sets *from);

/* Most pages first; equal ones by flags. */
void flag_sets_sort(struct flag_sets *sets);

#endif
