/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_THP_H
#define VMVIEW_MODEL_THP_H

#include <stdbool.h>
#include <stdint.h>

enum thp_mode {
	THP_UNKNOWN,
	THP_NEVER,
	THP_MADVISE, /* where MADV_HUGEPAGE was said; "advise" of shmem */
	THP_ALWAYS, /* "within_size" and "force" of shmem too */
};

/* A setting: what it means, and the kernel's word for it (NULL: THP_UNKNOWN). */
struct thp_setting {
	enum thp_mode mode;
	const char *word;
};

/* How the machine hands out transparent huge pages of the size that a PMD maps. */
struct thp {
	uint64_t huge_size; /* bytes; 0: the kernel has none */
	struct thp_setting anon, shmem; /* what holds for this size, "inherit" resolved */
	bool limits_known;
	uint64_t max_none, max_swap, max_shared; /* pages of a slot that khugepaged tolerates */
	uint64_t full_scans, pages_to_scan, scan_sleep_ms;
};

/* Why a slot, an aligned range of address space as big as a huge page, is not mapped as one. */
enum slot_reason {
	SLOT_SHORT, /* the mapping is shorter than a slot */
	SLOT_EDGE, /* begins or ends within the slot */
	SLOT_DEVICE, /* no ordinary memory */
	SLOT_OFF, /* switched off for the machine */
	SLOT_PRCTL, /* switched off for the process */
	SLOT_NOHUGE, /* MADV_NOHUGEPAGE */
	SLOT_NO_HINT, /* on request only, and not requested */
	SLOT_SHMEM_OFF, /* shared memory: switched off */
	SLOT_FILE, /* the page cache has it in smaller folios */
	SLOT_SPLIT, /* the frames are one huge folio, but mapped page by page */
	SLOT_UFFD, /* userfaultfd wants to see each fault */
	SLOT_SPARSE, /* too few pages are there */
	SLOT_SWAPPED, /* too many are in swap */
	SLOT_SHARED, /* too many are shared with others */
	SLOT_LOCKED, /* pages were locked for I/O at the moment */
	SLOT_WAITING, /* eligible: khugepaged has not come by */
	SLOT_UNKNOWN, /* flags or settings are not known */
	SLOT_REASONS,
};

#endif
