/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CAPS_H
#define VMVIEW_SOURCE_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct error;
struct root;

/*
 * What the kernel and our rights allow, found out by trying it once on ourselves; versions are never
 * compared. In a recording everything is allowed and the recorded files decide; what they can not
 * tell is in vmview/caps, a line "soft-dirty yes" or "no" and "page-counts yes" or "no" (kpagecount
 * is exact within big folios), "zero-pfn NUMBER", "frames some" where kpage files have the frames of its processes alone.
 */
enum cap_bit {
	CAPS_SCAN,		/* ioctl PAGEMAP_SCAN (6.7) */
	CAPS_GUARD,		/* PAGE_IS_GUARD in it (6.16) */
	CAPS_FRAMES,		/* pagemap shows frame numbers: CAP_SYS_ADMIN */
	CAPS_FLAGS,		/* /proc/kpageflags can be opened */
	CAPS_COUNTS,		/* /proc/kpagecount */
	CAPS_CGROUPS,		/* /proc/kpagecgroup */
	CAPS_SOFT_DIRTY,	/* the kernel tracks soft-dirty pages */
	CAPS_COUNT,
};

struct caps {
	const char *reason[CAPS_COUNT];	/* NULL: there; else why not, as in JSON "missing" */
	uint64_t page_size;
	uint64_t huge_size;		/* of a huge page that a PMD maps; 0: there are none */
	uint64_t zero_pfn;		/* frame of the zero page, 0: not known */
	bool page_counts;		/* recordings: see above */
	bool some_frames;		/* likewise */
};

static inline bool caps_has(const struct caps *caps, enum cap_bit bit)
{
	return !caps->reason[bit];
}

/*
 * Parse a list of names with commas, as --without has it, into bits (1 << enum cap_bit). Returns 0, or
 * -EINVAL with the name that is none.
 */
int caps_parse(const char *list, unsigned *bits, struct error *err);

/* Probe; what is in without (bits) counts as absent, with the reason "switched off". */
void caps_probe(struct caps *caps, const struct root *root, unsigned without);

#endif
