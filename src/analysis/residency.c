/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/residency.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/search.h"

enum { NEAR_MOST = 4 };	/* runs that are tried before all are searched */

struct residency_run {
	uint64_t start, end;
	unsigned class;
	uint64_t before[RESIDENT_CLASSES];	/* bytes of each class in the runs before */
};

void residency_init(struct residency *residency)
{
	*residency = (struct residency){ 0 };
}

void residency_fini(struct residency *residency)
{
	free(residency->runs);
	residency_init(residency);
}

void residency_clear(struct residency *residency)
{
	residency->count = residency->near = 0;
}

static void add_class(uint64_t *bytes, unsigned class, uint64_t size)
{
	for (unsigned bit = 0; bit < RESIDENT_CLASSES; bit++)
		if (class >> bit & 1)
			bytes[bit] += size;
}

void residency_add(struct residency *residency, uint64_t start, uint64_t bytes, unsigned class)
{
	struct residency_run *last = residency->count ? &residency->runs[residency->count - 1] :
							NULL;
	struct residency_run run = { start, start + bytes, class, { 0 } };

	if (!class || !bytes)
		return;
	if (last && last->end == start && last->class == class) {
		last->end = run.end;
		return;
	}
	if (last) {
		for (unsigned bit = 0; bit < RESIDENT_CLASSES; bit++)
			run.before[bit] = last->before[bit];
		add_class(run.before, last->class, last->end - last->start);
	}
	residency->runs = mem_room(residency->runs, residency->count, &residency->cap,
				   sizeof(residency->runs[0]));
	residency->runs[residency->count++] = run;
}

/* How many runs begin below addr. Those who ask go up through memory, mostly in small steps. */
static size_t runs_below(struct residency *residency, uint64_t addr)
{
	size_t near = residency->near;

	if (!near || residency->runs[near - 1].start < addr)
		for (size_t i = 0; i <= NEAR_MOST; i++, near++)
			if (near == residency->count || residency->runs[near].start >= addr)
				return residency->near = near;
	near = SEARCH(i, 0, residency->count, residency->runs[i].start < addr);
	return residency->near = near;
}

/* Bytes of each class below addr. */
static void sum_below(struct residency *residency, uint64_t addr, uint64_t *bytes)
{
	size_t low = runs_below(residency, addr);
	const struct residency_run *run;

	for (unsigned bit = 0; bit < RESIDENT_CLASSES; bit++)
		bytes[bit] = low ? residency->runs[low - 1].before[bit] : 0;
	if (!low)
		return;
	run = &residency->runs[low - 1];
	add_class(bytes, run->class, (addr < run->end ? addr : run->end) - run->start);
}

void residency_sum(struct residency *residency, uint64_t start, uint64_t end,
		   struct residency_tally *tally)
{
	uint64_t from[RESIDENT_CLASSES], to[RESIDENT_CLASSES];
	const struct residency_run *run;
	size_t below;

	if (start >= end)
		return;
	below = runs_below(residency, end);
	run = below ? &residency->runs[below - 1] : NULL;
	if (!run)
		return;
	/* most questions are about less than a run */
	if (run->start <= start) {
		if (start < run->end)
			add_class(tally->bytes, run->class,
				  (end < run->end ? end : run->end) - start);
		return;
	}
	sum_below(residency, start, from);
	sum_below(residency, end, to);
	for (unsigned bit = 0; bit < RESIDENT_CLASSES; bit++)
		tally->bytes[bit] += to[bit] - from[bit];
}

bool residency_next(struct residency *residency, unsigned class, uint64_t limit, uint64_t *start,
		    uint64_t *end)
{
	size_t i = runs_below(residency, *start);

	/* the one that begins below may reach above */
	for (i -= i > 0; i < residency->count && residency->runs[i].start < limit; i++) {
		const struct residency_run *run = &residency->runs[i];

		if ((run->class & class) != class || run->end <= *start)
			continue;
		if (run->start > *start)
			*start = run->start;
		*end = run->end < limit ? run->end : limit;
		return true;
	}
	return false;
}
