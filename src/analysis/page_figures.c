/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/page_figures.h"

#include <string.h>

#include "model/vma.h"

#define SLOT(name) (1ULL << SMAPS_##name)

/* What takes all that can be known of the frames. */
#define OF_FRAMES \
	(SLOT(RSS) | SLOT(PSS) | SLOT(PSS_DIRTY) | SLOT(SHARED_CLEAN) | SLOT(SHARED_DIRTY) | \
	 SLOT(PRIVATE_CLEAN) | SLOT(PRIVATE_DIRTY) | SLOT(REFERENCED) | SLOT(ANONYMOUS) | \
	 SLOT(KSM) | SLOT(LAZY_FREE) | SLOT(ANON_HUGE_PAGES) | SLOT(SHMEM_PMD_MAPPED) | \
	 SLOT(FILE_PMD_MAPPED) | SLOT(SHARED_HUGETLB) | SLOT(PRIVATE_HUGETLB))

static const char changed[] = "changed while it was read";
static const char moving[] = "pages are on their way to another frame, or poisoned";

void page_figures_init(struct page_figures *figures, const struct vma *vma)
{
	bool device = bytes_start_with(vma->path, BYTES("/dev/"));

	*figures = (struct page_figures){
		.shared = vma->perm & VMA_SHARED,
		/* major 0: no block device behind it; some of these file systems mark frames, some not */
		.marks = vma->inode && vma->dev_major && !device,
		.maybe_shm = vma->inode && !vma->dev_major,
		.maybe_hugetlb = vma->inode && !vma->dev_major,
	};
}

/* What the page's own entry does not tell is told by its frame, as far as that goes. */
static bool is_dirty(const struct page_figures *figures, uint64_t flags, bool *doubt)
{
	*doubt = false;
	if (flags & PAGE_FLAG(DIRTY))
		return true;
	if (flags & PAGE_FLAG(ANON)) {
		*doubt = true;
		/* lazily freed, or read back from swap, where the copy still is */
		return flags & PAGE_FLAG(SWAPBACKED) && !(flags & PAGE_FLAG(SWAPCACHE));
	}
	*doubt = figures->shared && (flags & PAGE_FLAG(SWAPBACKED) || !figures->marks);
	return false;
}

static void add_huge(struct page_figures *figures, const struct page_run *run, uint64_t page_size)
{
	bool anon = run->flags & PAGE_FLAG(ANON), shm = run->flags & PAGE_FLAG(SWAPBACKED);
	/* a folio of a PMD's size takes a page of page-table entries: as many as a page has words */
	unsigned pmd_order = (unsigned)__builtin_ctzll(page_size / sizeof(uint64_t));

	if (run->mapped == PAGE_MAPPED_PMD)
		*(anon ? &figures->huge_anon :
		  shm  ? &figures->huge_shmem :
			 &figures->huge_file) += run->pages;
	else if (run->mapped == PAGE_MAPPED_UNKNOWN && run->flags & PAGE_FLAG(THP) &&
		 run->order >= pmd_order)
		figures->huge_doubt += run->pages;
}

/* A kernel without counts of pages gives the folio's average, and tells by the word who shares. */
static bool is_shared(const struct page_run *run)
{
	if (run->average)
		return !(run->word & PAGEMAP_EXCLUSIVE);
	return run->map_count >= 2;
}

static void add_classes(struct page_figures *figures, const struct page_run *run,
			uint64_t page_size)
{
	uint64_t pss = page_size << PSS_SHIFT;
	bool doubt, dirty = is_dirty(figures, run->flags, &doubt), shared;

	if (!run->has_count) {
		figures->uncounted += run->pages;
		return;
	}
	shared = is_shared(run);
	if (run->map_count >= 2)
		pss /= run->map_count;
	figures->pss += pss * run->pages;
	if (dirty) {
		figures->pss_dirty += pss * run->pages;
		figures->dirty[shared] += run->pages;
	} else {
		figures->clean[shared] += run->pages;
	}
	if (doubt)
		figures->doubt[shared] += run->pages;
}

static void add_known(struct page_figures *figures, const struct page_run *run, uint64_t page_size)
{
	uint64_t flags = run->flags;

	if (flags & PAGE_FLAG(ANON)) {
		figures->anonymous += run->pages;
		if (!(flags & (PAGE_FLAG(SWAPBACKED) | PAGE_FLAG(DIRTY))))
			figures->lazy += run->pages;
	} else if (!(flags & PAGE_FLAG(SWAPBACKED))) {
		figures->of_file += run->pages;
	}
	if (flags & PAGE_FLAG(KSM))
		figures->ksm += run->pages;
	if (flags & PAGE_FLAG(REFERENCED))
		figures->referenced += run->pages;
	add_huge(figures, run, page_size);
	add_classes(figures, run, page_size);
}

void page_figures_add(struct page_figures *figures, const struct page_run *run, uint64_t page_size)
{
	if (run->state != PAGE_EMPTY)
		figures->there += run->pages;
	if (run->state == PAGE_SWAPPED)
		figures->swapped += run->pages;
	if (run->state == PAGE_ZERO)
		figures->zero += run->pages;
	/* a device's page has no frame that is memory: vm_normal_page() gives none */
	if (run->no_memory || (run->state != PAGE_PRESENT && run->state != PAGE_MIGRATION))
		return;
	if (run->has_flags && run->flags & PAGE_FLAG(HUGE)) {
		figures->hugetlb[!(run->word & PAGEMAP_EXCLUSIVE)] += run->pages;
		return;
	}
	figures->rss += run->pages;
	if (run->state == PAGE_PRESENT && run->has_flags && !run->changed) {
		add_known(figures, run, page_size);
		return;
	}
	figures->unknown += run->pages;
	if (run->state == PAGE_MIGRATION)
		figures->moving += run->pages;
	if (run->state == PAGE_PRESENT && !(run->word & PAGEMAP_FILE))
		figures->anonymous += run->pages;
}

static void set(struct vma *vma, enum smaps_slot slot, uint64_t value)
{
	vma->field[slot] = value;
	vma->have |= 1ULL << slot;
}

/* In whole KiB as the kernel prints it. */
static uint64_t pss_bytes(uint64_t pss)
{
	return pss >> PSS_SHIFT & ~1023ULL;
}

static void fill_classes(const struct page_figures *figures, uint64_t size, struct vma *vma)
{
	set(vma, SMAPS_PSS, pss_bytes(figures->pss));
	set(vma, SMAPS_PSS_DIRTY, pss_bytes(figures->pss_dirty));
	set(vma, SMAPS_PRIVATE_CLEAN, figures->clean[0] * size);
	set(vma, SMAPS_PRIVATE_DIRTY, figures->dirty[0] * size);
	set(vma, SMAPS_SHARED_CLEAN, figures->clean[1] * size);
	set(vma, SMAPS_SHARED_DIRTY, figures->dirty[1] * size);
	if (figures->doubt[0])
		vma->estimated |= SLOT(PRIVATE_CLEAN) | SLOT(PRIVATE_DIRTY);
	if (figures->doubt[1])
		vma->estimated |= SLOT(SHARED_CLEAN) | SLOT(SHARED_DIRTY);
	if (figures->doubt[0] || figures->doubt[1])
		vma->estimated |= SLOT(PSS_DIRTY);
}

static void fill_huge(const struct page_figures *figures, uint64_t size, struct vma *vma)
{
	set(vma, SMAPS_SHARED_HUGETLB, figures->hugetlb[1] * size);
	set(vma, SMAPS_PRIVATE_HUGETLB, figures->hugetlb[0] * size);
	if (figures->huge_doubt)
		return;
	set(vma, SMAPS_ANON_HUGE_PAGES, figures->huge_anon * size);
	set(vma, SMAPS_SHMEM_PMD_MAPPED, figures->huge_shmem * size);
	set(vma, SMAPS_FILE_PMD_MAPPED, figures->huge_file * size);
}

/* What takes the flags of every resident page. */
static void fill_known(const struct page_figures *figures, const struct page_figures_facts *facts,
		       struct vma *vma)
{
	uint64_t size = facts->page_size;

	set(vma, SMAPS_KSM, figures->ksm * size);
	set(vma, SMAPS_LAZY_FREE, figures->lazy * size);
	if (figures->lazy)
		vma->estimated |= SLOT(LAZY_FREE);
	/* a page may have been touched without its frame being marked */
	if (figures->referenced == figures->rss)
		set(vma, SMAPS_REFERENCED, figures->referenced * size);
	if (!figures->uncounted)
		fill_classes(figures, size, vma);
	fill_huge(figures, size, vma);
}

/* Shared memory in swap leaves no trace; where nothing is empty there is none. */
static bool knows_swap(const struct page_figures *figures, const struct page_figures_facts *facts,
		       const struct vma *vma)
{
	bool full = figures->there == vma_size(vma) / facts->page_size;

	if (figures->swapped && facts->no_frames)
		return false; /* (markers look swapped) */
	return !facts->swap_in_use || !figures->maybe_shm || full || figures->of_file ||
	       figures->hugetlb[0] || figures->hugetlb[1] || vma->kind == KIND_HUGETLB;
}

static void fill_plain(const struct page_figures *figures, const struct page_figures_facts *facts,
		       struct vma *vma)
{
	uint64_t size = facts->page_size;

	set(vma, SMAPS_SIZE, vma_size(vma));
	if (!figures->maybe_hugetlb) {
		set(vma, SMAPS_KERNEL_PAGE_SIZE, size);
		set(vma, SMAPS_MMU_PAGE_SIZE, size);
	}
	if (!figures->unknown || !figures->maybe_hugetlb) {
		set(vma, SMAPS_RSS, figures->rss * size);
		set(vma, SMAPS_ANONYMOUS, figures->anonymous * size);
	}
	if (knows_swap(figures, facts, vma)) {
		set(vma, SMAPS_SWAP, figures->swapped * size);
		if (!figures->swapped)
			set(vma, SMAPS_SWAP_PSS, 0);
	}
	if (facts->nothing_locked || !figures->rss)
		set(vma, SMAPS_LOCKED, 0);
}

void page_figures_fill(const struct page_figures *figures, const struct page_figures_facts *facts,
		       struct vma *vma)
{
	memset(vma->field, 0, sizeof(vma->field));
	vma->have = vma->estimated = vma->lost = 0;
	vma->same = false;
	vma->absent = facts->why_less;
	fill_plain(figures, facts, vma);
	if (!figures->unknown)
		fill_known(figures, facts, vma);
	if (!figures->unknown && !figures->uncounted)
		return;
	vma->lost = OF_FRAMES & ~vma->have;
	vma->why_lost = facts->no_frames ? facts->no_frames : figures->moving ? moving : changed;
}
