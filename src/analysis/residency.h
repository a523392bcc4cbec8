/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_RESIDENCY_H
#define VMVIEW_ANALYSIS_RESIDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which bytes of an address space are in memory, as runs of pages of one class. A range may begin and
 * end within pages: what counts is how many of its bytes lie on pages of the class, so the sums of
 * ranges that do not overlap add up to that of all.
 */
enum residency_class {
	RESIDENT = 1,
	RESIDENT_PRIVATE = 2,	/* and mapped nowhere else */
	RESIDENT_COPIED = 4,	/* and no longer the file's: a private copy, made by a write */
	RESIDENT_SWAPPED = 8,	/* in swap instead */
	RESIDENT_IN_CORE =
		16, /* of a core, which has the page; what was in memory it does not know */
	RESIDENT_CLASSES = 5,
};

struct residency_tally {
	uint64_t bytes[RESIDENT_CLASSES];	/* by bit of the class */
};

struct residency {
	struct residency_run *runs;
	size_t count, cap;
	size_t near;	/* run of the last answer: where the next question most likely leads */
};

void residency_init(struct residency *residency);
void residency_fini(struct residency *residency);
void residency_clear(struct residency *residency);

/* Pages from start on, behind all that were added before. What is left out is not in memory. */
void residency_add(struct residency *residency, uint64_t start, uint64_t bytes, unsigned class);

/*
 * Add to tally how many bytes of start .. end are of each class. Cheapest where one question begins
 * behind the one before; any order will do.
 */
void residency_sum(struct residency *residency, uint64_t start, uint64_t end,
		   struct residency_tally *tally);

/*
 * The first bytes from *start on that are of all classes of the mask: *start .. *end, up to limit. False
 * where there are none.
 */
bool residency_next(struct residency *residency, unsigned class, uint64_t limit, uint64_t *start,
		    uint64_t *end);

#endif
