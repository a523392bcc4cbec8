/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_PAGE_FIGURES_H
#define VMVIEW_ANALYSIS_PAGE_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/page_run.h"

struct vma;

/*
 * What smaps says of a mapping, counted from its pages and their frames, as smaps_account() of the
 * kernel does (fs/proc/task_mmu.c, 6.18). Numbers are pages, but for pss.
 *
 * The dirty bit of a page-table entry is shown to nobody. So a page whose frame is not marked dirty
 * may be dirty all the same: it is in doubt, but where nothing can have set that bit (pages of a
 * private file mapping, and of a shared one on a file system that marks the frame first). What is in
 * doubt counts as dirty where it is an anonymous page with no other copy, else as clean.
 */
struct page_figures {
	bool shared; /* of the mapping: what its record tells */
	bool marks; /* its file system marks frames of pages that are written to */
	bool maybe_shm; /* its file may be shared memory, which is swapped without a trace */
	bool maybe_hugetlb; /* or a file in hugetlb pages, which are not resident */
	uint64_t rss, anonymous, ksm, referenced, swapped, zero, there;
	uint64_t unknown; /* resident, but nothing is known of the frame */
	uint64_t moving; /* of these, on their way to another frame, or poisoned */
	uint64_t uncounted; /* whose map count is not known */
	uint64_t lazy; /* anonymous, neither swap-backed nor marked dirty */
	uint64_t clean[2], dirty[2], doubt[2]; /* [1]: mapped more than once */
	uint64_t hugetlb[2];
	uint64_t huge_anon, huge_shmem, huge_file, huge_doubt; /* by PMD; in doubt: by PMD or not */
	uint64_t of_file; /* pages of a file that is no shared memory */
	uint64_t pss, pss_dirty; /* bytes << PSS_SHIFT, each page rounded down */
};

enum { PSS_SHIFT = 12 };

/* What goes for all mappings of a process. */
struct page_figures_facts {
	uint64_t page_size;
	bool swap_in_use; /* something is in swap, anywhere */
	bool nothing_locked; /* the process has no locked memory */
	const char *no_frames; /* why frames are hidden, or their files can not be read */
	const char *why_less; /* why fields that pages do not tell are absent */
};

void page_figures_init(struct page_figures *figures, const struct vma *vma);

/* Pages of one piece, with flags and map counts (engine/page_reader.h). */
void page_figures_add(struct page_figures *figures, const struct page_run *run, uint64_t page_size);

/*
 * Set the fields of the mapping: have for those that are known, estimated for those that pages in
 * doubt may change, lost for those that this mapping's pages should have told; why in absent and
 * why_lost. vma->kind is used where it is known.
 */
void page_figures_fill(const struct page_figures *figures, const struct page_figures_facts *facts,
		       struct vma *vma);

#endif
