/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_MEMINFO_H
#define VMVIEW_SOURCE_MEMINFO_H

#include <stddef.h>

#include "base/bytes.h"
#include "model/meminfo.h"

struct arena;
struct error;
struct root;

/* Parse the text of /proc/meminfo; pure. What is no line of it is left out. Keys point into text. */
void meminfo_parse(struct bytes text, struct arena *arena, struct meminfo *out);

/* The file, now. Returns 0 or -errno. */
int meminfo_read(const struct root *root, struct arena *arena, struct meminfo *out,
		 struct error *err);

/*
 * The pools of /sys/kernel/mm/hugepages (hugepages-NkB), smallest size first; none where there is no
 * hugetlb. Returns how many.
 */
size_t hugetlb_pools_read(const struct root *root, struct arena *arena, struct hugetlb_pool **out);

#endif
