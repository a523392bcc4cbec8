/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_HUGE_SCATTER_H
#define VMVIEW_CMD_HUGE_SCATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/frames.h"
#include "source/pagewalk.h"

struct visit;

/*
 * Big mappings whose frames lie at random, as in a heap that has aged. Asked for in batches they would
 * be read one by one, so their frames are gathered first, a bit for each, and read in one pass. Which
 * page a frame belongs to is not known then; but nearly all are single pages, of which nothing has to
 * be known. The others are odd: their pages are found in a second walk.
 */
struct huge_scatter {
	struct frames *frames;
	uint64_t odd_flags; /* a frame with one of them is odd */
	struct frame_bits bits, odd;
	struct walk_vma *again; /* by mapping, the part to be walked again; NULL: none */
	size_t vma_count;
	uint32_t vma; /* the mapping that is gathered */
	bool gathering, any_odd;
	uint64_t unknown; /* pages of it whose flags could not be read */
};

void huge_scatter_init(struct huge_scatter *scatter, struct frames *frames, uint64_t odd_flags);
void huge_scatter_fini(struct huge_scatter *scatter);

/* From the page at addr on, frames of the mapping are gathered. */
void huge_scatter_begin(struct huge_scatter *scatter, const struct visit *visit, uint32_t vma,
			uint64_t addr);

/* Frames of pages one behind the other. */
void huge_scatter_add(struct huge_scatter *scatter, uint64_t pfn, uint64_t count);

/* Read what was gathered. Returns of how many pages nothing is known. */
uint64_t huge_scatter_end(struct huge_scatter *scatter);

/* Was the frame found to be odd? */
bool huge_scatter_is_odd(const struct huge_scatter *scatter, uint64_t pfn);

/* What is to be walked again, as many as there are mappings; NULL: nothing. */
const struct walk_vma *huge_scatter_again(const struct huge_scatter *scatter);

#endif
