/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_MALLOC_FIND_H
#define VMVIEW_ANALYSIS_MALLOC_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/malloc_layout.h"

/* The arenas of a process, in the order of their ring: the main one first. */
struct malloc_ring {
	struct malloc_state *states; /* heap; free() */
	size_t count;
	bool cut; /* there are more than MALLOC_ARENAS_MAX */
};

/*
 * Find the main arena by its shape, in the writable data of the C library, else of any file: bins that
 * point to themselves or to memory, and a ring of arenas that comes back to it; no symbol is needed. An
 * arena that is initialised but was never used is found, too. par: what is near it. False: none.
 */
bool malloc_find(const struct malloc_layout *layout, struct malloc_view *view,
		 struct malloc_ring *ring, struct malloc_par *par);

/* The arena at addr as it is now. */
bool malloc_state_read(const struct malloc_layout *layout, struct malloc_view *view, uint64_t addr,
		       struct malloc_state *state);

#endif
