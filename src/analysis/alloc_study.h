/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_ALLOC_STUDY_H
#define VMVIEW_ANALYSIS_ALLOC_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/index.h"
#include "model/alloc.h"

/* Whether a function of the kernel is part of its allocators: its caller is who wants the memory. */
bool alloc_is_allocator(struct bytes name);

/* How often, and what it cost. */
struct alloc_waits {
	uint64_t compactions, compact_ns;
	uint64_t reclaims, reclaim_ns, reclaimed; /* pages */
};

/* A process; pid 0 is what runs on an idle processor, -1 a process that had exited. */
struct alloc_task {
	int pid;
	bool named;
	struct bytes name;
	uint32_t command; /* equal for equal names: alloc_study_end() */
	struct alloc_waits waits;
};

/* What of an allocation may tell rows apart. */
enum alloc_key {
	ALLOC_BY_PROCESS = 1 << 0,
	ALLOC_BY_COMMAND = 1 << 1,
	ALLOC_BY_CALLER = 1 << 2,
	ALLOC_BY_ORDER = 1 << 3,
	ALLOC_BY_TYPE = 1 << 4,
	ALLOC_BY_FREE = 1 << 5, /* fallbacks: order and type of the free block */
};

/* Allocations that have these in common; members that are no key of theirs are 0. */
struct alloc_sum {
	uint32_t task; /* in tasks */
	uint32_t caller; /* in callers */
	unsigned order, type;
	unsigned from_order, from_type; /* fallbacks alone */
	uint64_t count; /* that succeeded, or fell back */
	uint64_t pages;
	uint64_t failed;
	uint64_t taken; /* fallbacks that took over a pageblock */
};

struct alloc_sums {
	struct alloc_sum *list;
	size_t count, cap;
	struct index index;
};

struct alloc_thread {
	int tid;
	uint32_t task;
	uint64_t compact_begin, reclaim_begin; /* 0: it does not */
};

/*
 * All that is made of allocation events, in the order they happened. Memory grows with how many callers,
 * processes and kinds of allocations there are, not with their number; beyond the limits they are in the
 * totals alone.
 */
struct alloc_study {
	struct alloc_task *tasks;
	size_t task_count, task_cap;
	uint64_t *callers; /* addresses of functions; 0: not known */
	size_t caller_count, caller_cap;
	struct alloc_thread *threads;
	size_t thread_count, thread_cap;
	struct alloc_sums pages, fallbacks;
	struct alloc_sum total, total_fallback, high; /* high: of order 1 and above */
	struct alloc_waits waits;
	uint64_t more; /* allocations beyond the limits */
	/* the function that wants the memory, of a chain of addresses; 0: not known */
	uint64_t (*caller_of)(void *ctx, const uint64_t *chain, unsigned count);
	void *ctx;
	/* its own */
	struct arena arena;
	struct index by_pid, by_caller, by_tid;
};

enum { ALLOC_TASKS_MAX = 1 << 20, ALLOC_CALLERS_MAX = 1 << 18, ALLOC_SUMS_MAX = 1 << 20 };

void alloc_study_init(struct alloc_study *study,
		      uint64_t (*caller_of)(void *ctx, const uint64_t *chain, unsigned count),
		      void *ctx);
void alloc_study_fini(struct alloc_study *study);

/* pid is called so, as it was before the first event. */
void alloc_study_name(struct alloc_study *study, int pid, struct bytes name);

void alloc_study_add(struct alloc_study *study, const struct alloc_event *event);

/* In the end: who waits then has waited until now. */
void alloc_study_end(struct alloc_study *study, uint64_t now);

/* Sums by some of the keys (enum alloc_key), most pages first; *count for the caller to free. */
struct alloc_sum *alloc_study_group(const struct alloc_study *study, const struct alloc_sums *sums,
				    unsigned keys, size_t *count);

#endif
