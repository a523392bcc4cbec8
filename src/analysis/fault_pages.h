/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FAULT_PAGES_H
#define VMVIEW_ANALYSIS_FAULT_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "model/fault.h"

struct fault_chunk;
struct page_span;

/*
 * Why pages fault. A fault itself tells whether the page was there, and whether it was a write; the rest
 * is what the page was before: from a walk of the page table at the beginning, and from all faults since.
 * What cannot be told for certain is FAULT_OTHER.
 *
 * Some is seen only afterwards: whether the page has another frame now (it was copied), whether it is
 * huge, whether it is the zero page. Then the verdict says what to look at, and
 * fault_pages_settle() takes what was seen.
 */
struct fault_pages {
	uint64_t page_size, huge_size; /* huge_size 0: this kernel makes no huge pages by itself */
	bool blind; /* there was no walk: what pages were before is not known */
	bool upgrades; /* mprotect makes a page writable at once, and pages' writes are not tracked */
	bool hinting; /* NUMA balancing takes access away from pages that are there */
	bool swapping; /* pages may be swapped out meanwhile */
	uint64_t walked; /* when the walk ended */
	/* its own */
	uint32_t epoch; /* grows with each fork */
	struct index index; /* by address / chunk size, of: */
	struct fault_chunk **chunks;
	size_t count, cap;
	struct fault_chunk *last;
};

/* What an address is backed by. */
enum fault_backing {
	FAULT_BACKING_NONE, /* no mapping */
	FAULT_BACKING_ANON,
	FAULT_BACKING_PRIVATE_FILE,
	FAULT_BACKING_SHARED_FILE,
	FAULT_BACKING_SHARED_MEMORY,
	FAULT_BACKING_HUGETLB,
	FAULT_BACKING_OTHER, /* device, vdso */
};

struct fault_place {
	enum fault_backing backing;
	uint8_t perm; /* enum vma_perm */
	bool walked; /* the walk at the beginning had its pages */
	uint64_t start, end; /* of the mapping */
};

enum fault_check {
	FAULT_CHECK_NONE,
	FAULT_CHECK_FRAME, /* is it another frame? */
	FAULT_CHECK_HUGE, /* is it a huge page? */
	FAULT_CHECK_ZERO, /* is it the zero page? */
	FAULT_CHECK_COPY, /* is it no longer the file's? */
};

struct fault_verdict {
	enum fault_reason reason; /* where check is not NONE: unless it shows something else */
	enum fault_check check;
	uint32_t before; /* of FAULT_CHECK_FRAME */
};

/* huge_size and page_size: bytes. */
void fault_pages_init(struct fault_pages *pages, uint64_t page_size, uint64_t huge_size);
void fault_pages_fini(struct fault_pages *pages);

/* Pages that the walk found, at this time (as of the events); zero_pfn as page_span_state() has it. */
void fault_pages_see(struct fault_pages *pages, const struct page_span *span, uint64_t zero_pfn,
		     uint64_t time);

/* The process forked. */
void fault_pages_fork(struct fault_pages *pages);

/* It executed another program: nothing is known any more. */
void fault_pages_forget(struct fault_pages *pages);

struct fault_verdict fault_pages_judge(struct fault_pages *pages, const struct fault_event *event,
				       const struct fault_place *place);

/*
 * What the page at addr looks like after the fault: a span that has it as page i; NULL: it is gone again.
 * Returns the reason.
 */
enum fault_reason fault_pages_settle(struct fault_pages *pages, uint64_t addr,
				     const struct fault_verdict *verdict,
				     const struct page_span *span, uint64_t i, uint64_t zero_pfn);

/* The reason of a fault that had to wait for a device, from what it was taken for. */
enum fault_reason fault_reason_of_major(enum fault_reason reason, const struct fault_place *place);

#endif
