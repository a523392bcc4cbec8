/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/page_elements.h"

#include <stdlib.h>

#include "base/arena.h"
#include "model/page_run.h"

struct page_elements *page_elements_new(void)
{
	struct page_elements *elements = mem_alloc(sizeof(*elements));

	elements->count = elements->item_count = 0;
	elements->folio.order = 0;
	frame_batch_init(&elements->batch, ELEMENTS_MAX, true);
	return elements;
}

void page_elements_free(struct page_elements *elements)
{
	if (!elements)
		return;
	frame_batch_fini(&elements->batch);
	free(elements);
}

void page_elements_reset(struct page_elements *elements)
{
	elements->count = elements->item_count = 0;
	elements->folio.order = 0;
}

static void push(struct page_elements *elements, uint64_t word)
{
	size_t i = elements->count++;

	elements->word[i] = word;
	elements->known[i] = 0;
	elements->order[i] = PAGE_ORDER_UNKNOWN;
}

static struct page_item *new_item(struct page_elements *elements, const struct page_span *span,
				  uint64_t at, uint64_t page_size)
{
	struct page_item *item = &elements->items[elements->item_count++];

	*item = (struct page_item){
		.start = span->start + at * page_size,
		.first = (uint32_t)elements->count,
		.vma = span->vma,
		.mapped = span->mapped,
		.zero = span->zero,
	};
	return item;
}

static void add_whole(struct page_elements *elements, const struct page_span *span, uint64_t *at,
		      uint64_t page_size)
{
	struct page_item *item = new_item(elements, span, *at, page_size);

	item->whole = true;
	item->pages = span->pages - *at;
	push(elements, page_span_word(span, *at));
	if (span->has_flags && !*at) {
		elements->flags[item->first] = page_flags_clean(span->flags);
		elements->known[item->first] = ELEMENT_FLAGS;
	}
	*at = span->pages;
}

void page_elements_add(struct page_elements *elements, const struct page_span *span, uint64_t *at,
		       uint64_t page_size, bool each)
{
	while (*at < span->pages && elements->count < ELEMENTS_MAX &&
	       elements->item_count < ITEMS_MAX) {
		struct page_item *item;

		if (!span->words && !each) {
			add_whole(elements, span, at, page_size);
			return;
		}
		if (!page_span_word(span, *at)) {
			(*at)++;
			continue;
		}
		item = new_item(elements, span, *at, page_size);
		while (*at < span->pages && elements->count < ELEMENTS_MAX &&
		       page_span_word(span, *at)) {
			push(elements, page_span_word(span, *at));
			item->pages++;
			(*at)++;
		}
	}
}
