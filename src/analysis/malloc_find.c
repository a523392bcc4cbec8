/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/malloc_find.h"

#include <stdlib.h>

#include "base/arena.h"
#include "model/malloc.h"

enum {
	SLICE = 256 << 10, /* read at once; MALLOC_STATE_MOST of it again with the next */
	PAR_REACH = 16 << 10, /* struct malloc_par is that near the main arena */
	TRIES = 3, /* of a ring that changes while it is read */
};

struct finding {
	const struct malloc_layout *layout;
	struct malloc_view *view;
	struct malloc_ring *ring;
	char *slice;
};

bool malloc_state_read(const struct malloc_layout *layout, struct malloc_view *view, uint64_t addr,
		       struct malloc_state *state)
{
	char bytes[MALLOC_STATE_MOST];

	return malloc_view_copy(view, addr, bytes, layout->size) &&
	       malloc_state_parse(layout, view, bytes, addr, state);
}

/* Follow next from the first until it comes back. */
static bool read_ring(struct finding *finding, const struct malloc_state *first)
{
	struct malloc_ring *ring = finding->ring;
	size_t cap = 0;

	ring->count = 0;
	free(ring->states);
	ring->states = NULL;
	for (struct malloc_state state = *first;;) {
		ring->states = mem_room(ring->states, ring->count, &cap, sizeof(state));
		ring->states[ring->count++] = state;
		if (state.next == first->addr)
			return true;
		if (ring->count == MALLOC_ARENAS_MAX) {
			ring->cut = true;
			return true;
		}
		malloc_view_forget(finding->view);
		if (!malloc_state_read(finding->layout, finding->view, state.next, &state))
			return false;
	}
}

static bool is_ring(struct finding *finding, const struct malloc_state *first)
{
	struct malloc_state again = *first;

	for (unsigned i = 0; i < TRIES; i++) {
		if (read_ring(finding, &again))
			return true;
		/* a new arena is in a mapping that was not there before */
		finding->view->source->refresh(finding->view->source);
		malloc_view_forget(finding->view);
		if (finding->view->stopped ||
		    !malloc_state_read(finding->layout, finding->view, first->addr, &again))
			return false;
	}
	return false;
}

/* len bytes of memory at addr, all of which were read. */
static bool search_slice(struct finding *finding, uint64_t addr, size_t len)
{
	const struct malloc_layout *layout = finding->layout;
	struct malloc_state state;

	for (size_t at = 0; at + layout->size <= len; at += layout->word)
		if (malloc_state_parse(layout, finding->view, finding->slice + at, addr + at,
				       &state) &&
		    is_ring(finding, &state))
			return true;
	return false;
}

static bool search_stretch(struct finding *finding, uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end && !finding->view->stopped; at += SLICE) {
		size_t len = SLICE + MALLOC_STATE_MOST;

		if (end - at < len)
			len = end - at;
		if (malloc_view_copy(finding->view, at, finding->slice, len) &&
		    search_slice(finding, at, len))
			return true;
	}
	return false;
}

static bool search_mapping(struct finding *finding, const struct malloc_mapping *mapping)
{
	struct malloc_view *view = finding->view;
	uint64_t start = mapping->start;

	for (uint64_t at = start; at < mapping->end; at += view->page) {
		if (malloc_view_page(view, at) == MALLOC_PAGE_RESIDENT)
			continue;
		if (at > start && search_stretch(finding, start, at))
			return true;
		start = at + view->page;
	}
	return start < mapping->end && search_stretch(finding, start, mapping->end);
}

/* The one near the arena; strict: as glibc sets it up. */
static bool find_par(struct finding *finding, bool strict, struct malloc_par *par)
{
	const struct malloc_layout *layout = finding->layout;
	uint64_t arena = finding->ring->states[0].addr;
	uint64_t at = arena > PAR_REACH ? arena - PAR_REACH : 0, end = arena + PAR_REACH;
	size_t found = 0;

	for (at -= at % layout->word; at < end; at += layout->word) {
		const char *bytes = malloc_view_at(finding->view, at, MALLOC_PAR_MOST);
		struct malloc_par here;

		if (!bytes || !malloc_par_parse(layout, bytes, strict, &here))
			continue;
		if (!found++)
			*par = here;
	}
	return strict ? found : found == 1;
}

/* The mappings to search, copied, for the list may be read again meanwhile. */
static struct malloc_mapping *candidates(const struct malloc_view *view, size_t *count)
{
	const struct malloc_source *source = view->source;
	struct malloc_mapping *list = mem_alloc((source->mapping_count + 1) * sizeof(*list));

	*count = 0;
	for (int libc = 1; libc >= 0; libc--)
		for (size_t i = 0; i < source->mapping_count; i++)
			if (source->mappings[i].file && source->mappings[i].libc == libc)
				list[(*count)++] = source->mappings[i];
	return list;
}

bool malloc_find(const struct malloc_layout *layout, struct malloc_view *view,
		 struct malloc_ring *ring, struct malloc_par *par)
{
	struct finding finding = { layout, view, ring, mem_alloc(SLICE + MALLOC_STATE_MOST) };
	struct malloc_mapping *list;
	bool found = false;
	size_t count;

	*ring = (struct malloc_ring){ 0 };
	*par = (struct malloc_par){ 0 };
	list = candidates(view, &count);
	for (size_t i = 0; i < count && !found && !view->stopped; i++)
		found = search_mapping(&finding, &list[i]);
	if (found && !find_par(&finding, true, par))
		par->known = find_par(&finding, false, par);
	free(list);
	free(finding.slice);
	return found;
}
