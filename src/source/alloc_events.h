/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ALLOC_EVENTS_H
#define VMVIEW_SOURCE_ALLOC_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/alloc.h"

struct alloc_source;
struct error;
struct root;

/*
 * The kernel's page allocator at work, on all processors: tracepoints, through perf_event_open(2). They
 * are on as long as the source is open, and end with us, however that is. Where pages are taken often
 * only each n-th is recorded (perf_budget.h), the others are counted.
 *
 * In a recording they are lines of text, vmview/allocs; numbers are hex but for PID, TID and those of "end":
 *
 *	pages TIME PID TID ORDER TYPE FAILED [CHAIN..]
 *	fallback TIME PID TID ORDER TYPE FROM_ORDER FROM_TYPE TAKEN [CHAIN..]
 *	compact-begin TIME PID TID
 *	compact-end TIME PID TID
 *	reclaim-begin TIME PID TID
 *	reclaim-end TIME PID TID PAGES
 *	name TIME PID TID NAME
 *	fork TIME PID TID PARENT
 *	end TIME TAKEN FREED LOST
 */
struct alloc_counts {
	uint64_t begin, end; /* CLOCK_MONOTONIC */
	uint64_t taken, freed; /* how often */
	uint64_t recorded; /* of taken */
	uint64_t lost; /* records, of any kind, for which there was no room */
	uint64_t period; /* the longest that was used */
	const char *fallback_reason, *wait_reason; /* why these are not told; NULL: they are */
	bool complete;
};

/* period 0: chosen. Returns 0 or -errno; *reason then says why: a literal. */
int alloc_source_open(struct alloc_source **out, const struct root *root, uint64_t period,
		      const char **reason, struct error *err);
void alloc_source_close(struct alloc_source *source);

/* Wait until there is much to take, or this many milliseconds. */
void alloc_source_wait(struct alloc_source *source, int milliseconds);

typedef void (*alloc_sink)(void *ctx, const struct alloc_event *event);

/* Hand on what happened up to now, by time. What an event points to is gone when the next call begins. */
void alloc_source_take(struct alloc_source *source, alloc_sink sink, void *ctx);

/* End, hand on the rest, and tell what was counted. */
void alloc_source_stop(struct alloc_source *source, alloc_sink sink, void *ctx,
		       struct alloc_counts *counts);

/* The next event of a recording; pure. As fault_text_next(). chain has room for ALLOC_CHAIN_MAX. */
bool alloc_text_next(const char **at, const char *end, struct alloc_event *out, uint64_t *chain,
		     struct alloc_counts *counts, uint64_t *malformed);

#endif
