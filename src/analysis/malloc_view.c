/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/malloc_view.h"

#include <stdlib.h>

#include "base/arena.h"

void malloc_view_init(struct malloc_view *view, struct malloc_source *source, size_t pages)
{
	*view = (struct malloc_view){ .source = source, .page = source->page_size };
	view->window = pages * view->page;
	view->data = mem_alloc(view->window);
}

void malloc_view_fini(struct malloc_view *view)
{
	free(view->data);
	view->data = NULL;
}

void malloc_view_forget(struct malloc_view *view)
{
	view->start = view->end = 0;
	view->states_start = view->states_end = 0;
}

const struct malloc_mapping *malloc_view_mapping(const struct malloc_view *view, uint64_t addr)
{
	const struct malloc_source *source = view->source;
	size_t low = 0, high = source->mapping_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (source->mappings[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < source->mapping_count && source->mappings[low].start <= addr ?
		       &source->mappings[low] :
		       NULL;
}

enum malloc_page malloc_view_page(struct malloc_view *view, uint64_t addr)
{
	if (addr < view->states_start || addr >= view->states_end) {
		uint64_t block = MALLOC_STATES * view->page, start = addr - addr % block;

		view->source->pages(view->source->ctx, start, MALLOC_STATES, view->states);
		view->states_start = start;
		view->states_end = start + block;
	}
	return view->states[(addr - view->states_start) / view->page];
}

uint64_t malloc_view_resident(struct malloc_view *view, uint64_t start, uint64_t end)
{
	uint64_t sum = 0, next;

	for (uint64_t at = start; at < end; at = next) {
		next = at - at % view->page + view->page;
		if (next > end || next < at)
			next = end;
		if (malloc_view_page(view, at) == MALLOC_PAGE_RESIDENT)
			sum += next - at;
		if (at % (view->page * MALLOC_STATES) == 0 &&
		    view->source->stop(view->source->ctx)) {
			view->stopped = true;
			break;
		}
	}
	return sum;
}

static bool is_readable(struct malloc_view *view, uint64_t page)
{
	enum malloc_page state = malloc_view_page(view, page);

	return state == MALLOC_PAGE_RESIDENT ||
	       (state == MALLOC_PAGE_SWAPPED && view->source->swap_in);
}

const char *malloc_view_load(struct malloc_view *view, uint64_t addr, size_t len)
{
	struct malloc_source *source = view->source;
	uint64_t start = addr - addr % view->page, pages = 0, most = view->window / view->page;

	/* the kernel's half, or the end of it all */
	if (len > view->page || addr + view->window + view->page < addr)
		return NULL;
	if (source->stop(source->ctx)) {
		view->stopped = true;
		return NULL;
	}
	while (pages < most && is_readable(view, start + pages * view->page))
		pages++;
	view->start = view->end = 0;
	if (!pages)
		return NULL;
	view->end = start + source->read(source->ctx, start, view->data, pages * view->page);
	view->start = start;
	return addr < view->end && view->end - addr >= len ? view->data + (addr - start) : NULL;
}

bool malloc_view_copy(struct malloc_view *view, uint64_t addr, void *into, size_t len)
{
	char *to = into;

	while (len) {
		size_t part = view->page - addr % view->page;
		const char *from;

		part = part < len ? part : len;
		from = malloc_view_at(view, addr, part);
		if (!from)
			return false;
		memcpy(to, from, part);
		addr += part;
		to += part;
		len -= part;
	}
	return true;
}
