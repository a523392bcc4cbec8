/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_PAGE_SUMMARY_H
#define VMVIEW_ANALYSIS_PAGE_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/contiguity.h"
#include "analysis/flag_sets.h"
#include "model/page.h"
#include "model/page_run.h"

struct vma;

/* The pages of a mapping, or of several, counted. */
struct page_summary {
	const struct vma *vma;		/* NULL: a sum of several */
	uint64_t start, end, page_size;	/* of what was walked; bytes */
	uint64_t size;
	uint64_t state[PAGE_STATE_COUNT];
	uint64_t exclusive, file, soft_dirty, uffd_wp;	/* of what is present or zero */
	uint64_t mapped[PAGE_MAPPED_COUNT];	/* pages present or zero, by level */
	uint64_t no_flags;		/* frames whose flags are not known */
	bool hidden;			/* frame numbers are: no contiguity, no flags */
	const struct page_absent *absent; /* why that is, and what else is not known */
	struct contiguity contiguity;	/* of present pages */
	struct flag_sets flags;
};

void page_summary_init(struct page_summary *summary, uint64_t start, uint64_t end,
		       uint64_t page_size, uint64_t huge_size);
void page_summary_fini(struct page_summary *summary);

/* count pages from addr on that are alike: the words of a stretch (page_span_stretch()). */
void page_summary_add(struct page_summary *summary, uint64_t addr, uint64_t word, uint64_t count,
		      enum page_state state, enum page_mapped mapped);

/* No more pages: what is not there is empty. */
void page_summary_end(struct page_summary *summary);

/* Add another one, which has ended. */
void page_summary_merge(struct page_summary *into, const struct page_summary *from);

#endif
