/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/page_runs.h"

static const uint64_t compound = PAGE_FLAG(HEAD) | PAGE_FLAG(TAIL);

const uint64_t page_runs_idle_flags = PAGE_FLAG(IDLE) | PAGE_FLAG(ARCH) | PAGE_FLAG(ARCH_2) |
				      PAGE_FLAG(ARCH_3);

/* All 4 KiB zero pages are one frame; other frames, and swap slots, go on from page to page. */
static uint64_t step_of(const struct page_run *run)
{
	if (run->state == PAGE_ZERO && run->mapped != PAGE_MAPPED_PMD)
		return 0;
	return pagemap_step(run->word);
}

struct page_run page_run_from(const struct page_run *run, uint64_t i, uint64_t page_size)
{
	struct page_run rest = *run;

	rest.start += i * page_size;
	rest.pages -= i;
	rest.word += i * step_of(run);
	return rest;
}

static bool equal_facts(const struct page_run *a, const struct page_run *b)
{
	if (a->state != b->state || a->mapped != b->mapped || a->node != b->node ||
	    a->has_flags != b->has_flags || a->has_count != b->has_count ||
	    a->has_cgroup != b->has_cgroup || a->average != b->average ||
	    a->no_memory != b->no_memory || a->changed != b->changed)
		return false;
	if (a->has_flags && ((a->flags ^ b->flags) & ~compound || a->order != b->order ||
			     !(a->flags & compound) != !(b->flags & compound)))
		return false;
	return (!a->has_count || a->map_count == b->map_count) &&
	       (!a->has_cgroup || a->cgroup == b->cgroup);
}

bool page_run_continues(const struct page_run *run, const struct page_run *next, uint64_t page_size)
{
	return run->start + run->pages * page_size == next->start &&
	       run->word + run->pages * step_of(run) == next->word && equal_facts(run, next);
}

static void complete(struct page_runs *runs)
{
	if (runs->open)
		runs->sink(runs->ctx, &runs->run);
	runs->open = false;
}

/* One page after the other: of a folio the first is its head, the others are not. */
static void add_each(struct page_runs *runs, const struct page_run *piece)
{
	for (uint64_t i = 0; i < piece->pages; i++) {
		struct page_run page = page_run_from(piece, i, runs->page_size);

		page.pages = 1;
		if ((page.flags & compound) == compound)
			page.flags &= page_run_pfn(&page) & ((1ull << (page.order & 63)) - 1) ?
					      ~PAGE_FLAG(HEAD) :
					      ~PAGE_FLAG(TAIL);
		runs->sink(runs->ctx, &page);
	}
}

void page_runs_add(struct page_runs *runs, const struct page_run *piece)
{
	struct page_run next = *piece;

	if (runs->each) {
		add_each(runs, piece);
		return;
	}
	next.flags = (piece->flags & ~runs->ignored) | (runs->run.flags & runs->ignored);
	if (runs->open && page_run_continues(&runs->run, &next, runs->page_size)) {
		runs->run.pages += piece->pages;
		runs->run.flags |= piece->flags & ~runs->ignored;
		runs->run.flags &= piece->flags | ~runs->ignored;
		return;
	}
	complete(runs);
	runs->run = *piece;
	runs->open = true;
}

void page_runs_flush(struct page_runs *runs)
{
	complete(runs);
}
