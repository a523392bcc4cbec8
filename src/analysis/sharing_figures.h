/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_SHARING_FIGURES_H
#define VMVIEW_ANALYSIS_SHARING_FIGURES_H

#include <stdint.h>

/* What the join of frames (sharing.h) tells. All counts are in frames (pages of the smallest size). */

enum share_kind {
	SHARE_ANON, /* anonymous memory: shared by fork */
	SHARE_SHM, /* memfd, SysV, tmpfs, /dev/zero */
	SHARE_FILE, /* page cache */
	SHARE_KSM, /* equal pages, merged */
	SHARE_HUGETLB, /* of the pool: not part of RSS */
	SHARE_KINDS,
};

/* "anon", "shm", "file", "ksm", "hugetlb" */
extern const char *const share_kind_names[SHARE_KINDS];

struct sharing_process {
	uint64_t mapped[SHARE_KINDS]; /* pages: a frame as often as it is mapped; all but hugetlb: rss */
	uint64_t exclusive[SHARE_KINDS]; /* mapped once, by pagemap */
	uint64_t once; /* mapped once by map count, though pagemap does not say so: uss has both */
	uint64_t frames[SHARE_KINDS]; /* different frames */
	uint64_t only[SHARE_KINDS]; /* frames that no other process of the join has */
	uint64_t crowded; /* in crowds, so not in frames: shared, but not known with whom */
	double pss; /* pages by map count, hugetlb aside; where all counts were set, no crowds */
};

/* The whole join: footprint is each frame once; closed are those that nobody else maps either. */
struct sharing_total {
	uint64_t mapped[SHARE_KINDS];
	uint64_t exclusive[SHARE_KINDS];
	uint64_t footprint[SHARE_KINDS];
	uint64_t closed[SHARE_KINDS]; /* exclusive, and all map counts explained by the join */
	uint64_t uncounted
		[SHARE_KINDS]; /* not known whether closed: no map count, or too many mappings */
	uint64_t crowded[SHARE_KINDS];
	double pss;
	uint64_t sets; /* as many were made */
};

static inline uint64_t share_sum(const uint64_t frames[SHARE_KINDS])
{
	uint64_t sum = 0;

	for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
		sum += frames[kind];
	return sum;
}

#endif
