/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/page_reader.h"

#include <stdlib.h>

#include "analysis/page_runs.h"
#include "engine/page_elements.h"
#include "model/needs.h"

static const uint64_t compound = PAGE_FLAG(HEAD) | PAGE_FLAG(TAIL);

void page_reader_open(struct page_reader *reader, const struct root *root, struct arena *arena,
		      unsigned without, unsigned needs)
{
	*reader = (struct page_reader){ .root = root, .needs = needs };
	caps_probe(&reader->caps, root, without);
	frames_open(&reader->frames, root, &reader->caps);
	memmap_init(&reader->memory, root, reader->caps.page_size, arena);
	cgroups_init(&reader->cgroups, root, arena);
	swaps_load(root, arena, &reader->swaps);
	reader->elements = page_elements_new();
}

void page_reader_remember(struct page_reader *reader)
{
	reader->remembered = remembered_frames_new();
}

void page_reader_close(struct page_reader *reader)
{
	page_elements_free(reader->elements);
	reader->elements = NULL;
	free(reader->remembered);
	reader->remembered = NULL;
	frames_close(&reader->frames);
	cgroups_fini(&reader->cgroups);
}

void page_reader_add(struct page_reader *reader, struct pagewalk *walk,
		     const struct page_batch *batch)
{
	struct page_elements *elements = reader->elements;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		/* subpages of a huge page that others map too may be mapped by different numbers */
		bool each = reader->needs & NEED_COUNTS && !span->zero &&
			    span->word & PAGEMAP_PRESENT && !(span->word & PAGEMAP_EXCLUSIVE) &&
			    !(span->has_flags && span->flags & PAGE_FLAG(HUGE));
		uint64_t at = 0;

		for (;;) {
			page_elements_add(elements, span, &at, reader->caps.page_size, each);
			if (at == span->pages)
				break;
			page_reader_flush(reader, walk);
		}
	}
}

static enum page_state state_of(const struct page_reader *reader, const struct page_item *item,
				size_t i)
{
	const struct page_elements *elements = reader->elements;
	uint64_t word = elements->word[i];
	enum page_state state = page_state(word);

	if (state != PAGE_PRESENT)
		return state;
	if (item->zero || (reader->caps.zero_pfn && pagemap_pfn(word) == reader->caps.zero_pfn))
		return PAGE_ZERO;
	return elements->known[i] & ELEMENT_FLAGS && elements->flags[i] & PAGE_FLAG(ZERO) ?
		       PAGE_ZERO :
		       PAGE_PRESENT;
}

static struct page_run make_run(const struct page_reader *reader, const struct page_item *item,
				size_t i)
{
	const struct page_elements *elements = reader->elements;
	unsigned known = elements->known[i];
	struct page_run run = {
		.start = item->start + (i - item->first) * reader->caps.page_size,
		.pages = item->whole ? item->pages : 1,
		.word = elements->word[i],
		.flags = known & ELEMENT_FLAGS ? elements->flags[i] : 0,
		.map_count = known & ELEMENT_COUNT ? elements->map_count[i] : 0,
		.cgroup = known & ELEMENT_CGROUP ? elements->cgroup[i] : 0,
		.node = PAGE_NODE_UNKNOWN,
		.state = (uint8_t)state_of(reader, item, i),
		.mapped = item->mapped,
		.order = elements->order[i],
		.has_flags = known & ELEMENT_FLAGS,
		.has_count = known & ELEMENT_COUNT,
		.has_cgroup = known & ELEMENT_CGROUP,
		.average = known & ELEMENT_AVERAGE,
		.no_memory = known & ELEMENT_NO_MEMORY,
		.changed = known & ELEMENT_TORN,
	};

	/* what the walk did not read has no payload; so that both ways agree, none has */
	if (run.state == PAGE_GUARD)
		run.word = PAGEMAP_SWAP | PAGEMAP_GUARD;
	if (run.state != PAGE_PRESENT && run.state != PAGE_ZERO)
		run.mapped = PAGE_MAPPED_UNKNOWN;
	/* a folio as big as two levels of the page table is mapped by the upper one */
	if (item->whole && run.has_flags && run.order != PAGE_ORDER_UNKNOWN &&
	    run.flags & PAGE_FLAG(HUGE) && run.order >= 2u * (unsigned)__builtin_ctzll(item->pages))
		run.mapped = PAGE_MAPPED_PUD;
	return run;
}

/* A piece, cut where the node changes. */
static void hand_on(struct page_reader *reader, uint32_t vma, struct page_run piece)
{
	uint64_t block = page_run_has_frame(&piece) ? memmap_block_frames(&reader->memory) : 0;

	while (piece.pages) {
		struct page_run part = piece;

		if (page_run_has_frame(&piece) && !piece.no_memory) {
			uint64_t pfn = page_run_pfn(&piece), left = block ? block - pfn % block : 0;

			part.node = memmap_node(&reader->memory, pfn);
			/* (all small zero pages are one frame) */
			if (left && left < part.pages &&
			    (piece.state != PAGE_ZERO || piece.mapped == PAGE_MAPPED_PMD))
				part.pages = left;
		}
		reader->sink(reader->ctx, vma, &part);
		piece = page_run_from(&piece, part.pages, reader->caps.page_size);
	}
}

/* Only those whose flags are asked for; of a huge page the first page differs from the others. */
static void choose(struct page_reader *reader, uint32_t vma, struct page_run piece)
{
	const struct flag_match *match = reader->match;
	struct page_run head = piece;

	if (!match) {
		hand_on(reader, vma, piece);
		return;
	}
	if (!piece.has_flags)
		return;
	if ((piece.flags & compound) != compound) {
		if (flag_match(match, piece.flags))
			hand_on(reader, vma, piece);
		return;
	}
	head.pages = 1;
	head.flags &= ~PAGE_FLAG(TAIL);
	if (flag_match(match, head.flags))
		hand_on(reader, vma, head);
	piece = page_run_from(&piece, 1, reader->caps.page_size);
	piece.flags &= ~PAGE_FLAG(HEAD);
	if (flag_match(match, piece.flags))
		hand_on(reader, vma, piece);
}

static void show_item(struct page_reader *reader, const struct page_item *item)
{
	uint64_t size = reader->caps.page_size;
	struct page_run piece = make_run(reader, item, item->first);

	if (item->whole) {
		/* its other pages are tails, whatever the first one is */
		if (page_flags_compound(piece.flags) && piece.pages > 1)
			piece.flags |= PAGE_FLAG(TAIL);
		choose(reader, item->vma, piece);
		return;
	}
	for (size_t i = item->first + 1; i < item->first + item->pages; i++) {
		struct page_run next = make_run(reader, item, i);

		if (next.flags == piece.flags && page_run_continues(&piece, &next, size)) {
			piece.pages++;
			continue;
		}
		choose(reader, item->vma, piece);
		piece = next;
	}
	choose(reader, item->vma, piece);
}

void page_reader_flush(struct page_reader *reader, struct pagewalk *walk)
{
	struct page_elements *elements = reader->elements;

	/* what the walk found out about the target's file holds from now on */
	reader->caps.reason[CAPS_FRAMES] = walk->caps.reason[CAPS_FRAMES];
	reader->caps.zero_pfn = walk->caps.zero_pfn;
	page_elements_join(reader, walk);
	for (size_t i = 0; i < elements->item_count; i++)
		show_item(reader, &elements->items[i]);
	page_elements_reset(elements);
}

void page_reader_name(struct page_reader *reader, struct page_run *run)
{
	const struct memmap_zone *zone;

	if (page_run_has_frame(run) && !run->no_memory) {
		zone = memmap_zone(&reader->memory, page_run_pfn(run));
		if (zone)
			run->zone = zone->name;
	}
	if (run->has_cgroup && run->cgroup)
		run->cgroup_path = cgroups_path(&reader->cgroups, run->cgroup);
	if (run->state == PAGE_SWAPPED && run->word & PAGEMAP_PAYLOAD)
		run->device = swaps_name(&reader->swaps, pagemap_swap_type(run->word));
}
