/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_MALLOC_LOOK_H
#define VMVIEW_ANALYSIS_MALLOC_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "model/malloc.h"

struct malloc_source;

/*
 * What glibc's malloc of a process has: its arenas found, walked and counted (malloc_find.h, malloc_walk.h).
 * Takes nothing for granted: source is the memory of a process that may be hostile, and that runs.
 */
struct malloc_look {
	struct malloc_facts facts;
	struct malloc_arena *arenas; /* facts.arenas of them, the main one first; heap */
};

/* wide: a process of 64 bits. */
void malloc_look(struct malloc_source *source, bool wide, struct malloc_look *look);
void malloc_look_fini(struct malloc_look *look);

#endif
