/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FRAME_OWNERS_H
#define VMVIEW_ANALYSIS_FRAME_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/frame_class.h"
#include "base/index.h"

/*
 * Frames by owner and class: of each owner, a number, how many frames of each class it has. One
 * a thread, added up in the end.
 */
struct frame_owner {
	uint64_t owner;
	uint64_t frames[FRAME_CLASSES];
};

struct frame_owners {
	struct frame_owner *list;	/* in the order in which they were met */
	size_t count, cap;
	struct index index;	/* of it, by owner */
};

void frame_owners_init(struct frame_owners *owners);
void frame_owners_fini(struct frame_owners *owners);

void frame_owners_add(struct frame_owners *owners, uint64_t owner, enum frame_class class,
		      uint64_t frames);

/* Frames one behind the other, by their flags and the numbers of their owners. */
void frame_owners_add_words(struct frame_owners *owners, const uint64_t *flags,
			    const uint64_t *numbers, size_t count);
void frame_owners_merge(struct frame_owners *owners, const struct frame_owners *other);

#endif
