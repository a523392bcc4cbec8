/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_HUGE_READ_H
#define VMVIEW_CMD_HUGE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct caps;
struct frames;
struct slot;
struct visit;

enum { HUGE_ORDERS = 24 };

/* What is huge in a mapping, or in many. Bytes, but for entries and slots, which are counts. */
struct huge_counts {
	uint64_t present; /* in memory, hugetlb included, zero pages not */
	uint64_t pmd; /* mapped by a PMD or PUD */
	uint64_t large; /* in folios of several pages, mapped page by page */
	uint64_t aligned; /* of pmd and large: whole, address and frame aligned alike */
	uint64_t unmapped; /* frames of folios mapped in part that nobody maps */
	uint64_t hugetlb, hugetlb_unsure; /* of a pool; in mappings that may be of one */
	uint64_t order[HUGE_ORDERS]; /* by the order of the folio; 0: single pages */
	uint64_t pool[HUGE_ORDERS]; /* of hugetlb: by the order of its pages */
	uint64_t unknown_order; /* could not be told: changed meanwhile */
	uint64_t tlb; /* entries that cover what is present */
	uint64_t slots, huge_slots; /* that hold a page; of them mapped as one */
};

/* Why something is absent; NULL: it is there. */
struct huge_reasons {
	const char *mapped; /* pmd, aligned, tlb, slots */
	const char *order; /* large, aligned, the orders */
	const char *unmapped;
	const char *all; /* everything */
};

/* What every mapping has. Most have single pages alone and nothing more. */
struct huge_vma {
	uint64_t present, tlb; /* as in huge_counts */
	uint32_t slots, huge_slots;
	uint32_t more; /* index in huge_pages.more, from 1; 0: it has none */
};

/* What is read of a process: counts by mapping, and its slots that hold a page, by address. */
struct huge_pages {
	struct huge_vma *vmas; /* as many as visit->vmas; heap */
	struct huge_counts *more; /* heap */
	size_t more_count, more_cap;
	struct slot *slots; /* heap */
	size_t slot_count, slot_cap;
	struct huge_reasons reasons;
};

/*
 * Walk the pages and ask for the flags of frames that no PMD maps. huge_size may be 0. Slots are kept
 * where they are asked for, else only counted. Returns 0 or -errno: -ESRCH where the memory went away.
 */
int huge_pages_read(struct visit *visit, const struct caps *caps, struct frames *frames, bool slots,
		    struct huge_pages *out);
void huge_pages_fini(struct huge_pages *pages);

/* The counts of a mapping. */
void huge_pages_counts(const struct huge_pages *pages, size_t vma, struct huge_counts *out);

void huge_counts_add(struct huge_counts *sum, const struct huge_counts *counts);

#endif
