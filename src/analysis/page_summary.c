/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/page_summary.h"

enum { SMALL_BLOCK = 64 << 10 };

void page_summary_init(struct page_summary *summary, uint64_t start, uint64_t end,
		       uint64_t page_size, uint64_t huge_size)
{
	*summary = (struct page_summary){
		.start = start, .end = end, .page_size = page_size, .size = end - start
	};
	/* 64 KiB are no bigger than a page somewhere: then there is nothing to count */
	contiguity_init(&summary->contiguity, page_size < SMALL_BLOCK ? SMALL_BLOCK / page_size : 0,
			huge_size / page_size);
}

void page_summary_fini(struct page_summary *summary)
{
	flag_sets_fini(&summary->flags);
}

void page_summary_add(struct page_summary *summary, uint64_t addr, uint64_t word, uint64_t count,
		      enum page_state state, enum page_mapped mapped)
{
	summary->state[state] += count;
	if (state != PAGE_PRESENT && state != PAGE_ZERO) {
		if (word & PAGEMAP_UFFD_WP)
			summary->uffd_wp += count;
		return;
	}
	summary->mapped[mapped] += count;
	if (word & PAGEMAP_EXCLUSIVE)
		summary->exclusive += count;
	if (word & PAGEMAP_FILE)
		summary->file += count;
	if (word & PAGEMAP_SOFT_DIRTY)
		summary->soft_dirty += count;
	if (word & PAGEMAP_UFFD_WP)
		summary->uffd_wp += count;
	if (state != PAGE_PRESENT)
		return;
	if (pagemap_pfn(word))
		contiguity_add(&summary->contiguity, addr / summary->page_size, pagemap_pfn(word),
			       count);
	else
		summary->hidden = true;
}

void page_summary_end(struct page_summary *summary)
{
	uint64_t empty = summary->size / summary->page_size;

	for (int state = 0; state < PAGE_STATE_COUNT; state++)
		if (state != PAGE_EMPTY)
			empty -= summary->state[state];
	summary->state[PAGE_EMPTY] = empty;
	contiguity_end(&summary->contiguity);
}

void page_summary_merge(struct page_summary *into, const struct page_summary *from)
{
	into->size += from->size;
	for (int i = 0; i < PAGE_STATE_COUNT; i++)
		into->state[i] += from->state[i];
	for (int i = 0; i < PAGE_MAPPED_COUNT; i++)
		into->mapped[i] += from->mapped[i];
	into->exclusive += from->exclusive;
	into->file += from->file;
	into->soft_dirty += from->soft_dirty;
	into->uffd_wp += from->uffd_wp;
	into->no_flags += from->no_flags;
	into->hidden |= from->hidden;
	into->absent = from->absent;
	contiguity_merge(&into->contiguity, &from->contiguity);
	flag_sets_merge(&into->flags, &from->flags);
}
