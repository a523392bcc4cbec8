/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_ALLOC_H
#define VMVIEW_MODEL_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* What the kernel's page allocator tells of. */
enum alloc_event_kind {
	ALLOC_PAGES, /* order, type; failed */
	ALLOC_FALLBACK, /* from free memory of another migrate type: order, type, from_order, from_type, taken */
	ALLOC_COMPACT_BEGIN, /* the task makes room by moving pages */
	ALLOC_COMPACT_END,
	ALLOC_RECLAIM_BEGIN, /* the task has to free pages itself */
	ALLOC_RECLAIM_END, /* reclaimed */
	ALLOC_NAME, /* pid is called text */
	ALLOC_FORK, /* parent made the process pid */
};

enum { ALLOC_CHAIN_MAX = 24 };

struct alloc_event {
	enum alloc_event_kind kind;
	int pid, tid; /* the task that ran; -1: one that had exited */
	int parent; /* ALLOC_FORK */
	uint64_t time; /* nanoseconds, CLOCK_MONOTONIC */
	uint64_t weight; /* ALLOC_PAGES: how many it stands for */
	unsigned order; /* 1 << order pages */
	unsigned type; /* migrate type, as numbered by the kernel */
	unsigned from_order, from_type; /* of the free block it was cut from */
	bool failed;
	bool taken; /* the whole pageblock has the other type from now on */
	uint64_t reclaimed; /* pages */
	struct bytes text;
	const uint64_t *chain; /* addresses in the kernel, innermost first */
	unsigned chain_count;
};

#endif
