/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FAULT_STUDY_H
#define VMVIEW_ANALYSIS_FAULT_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/fault_map.h"
#include "analysis/fault_pages.h"
#include "base/arena.h"
#include "base/index.h"
#include "model/fault.h"

struct page_span;

/* Code that faulted. */
struct fault_code {
	uint64_t ip;
	bool kernel;
	struct fault_tally tally;
};

struct fault_thread_tally {
	int tid;
	bool born; /* it was made meanwhile */
	struct bytes name; /* len 0: not told by an event */
	struct fault_tally tally;
	/* its last fault, which one that had to wait for a device is */
	uint64_t last_addr, last_weight;
	struct fault_where {
		uint32_t mapping, code, thread, stack;
	} last;
	enum fault_reason last_reason;
	size_t last_pending; /* and one: in pending; 0: not there */
};

/* Call chains, for flame graphs. */
struct fault_stack {
	const uint64_t *chain; /* innermost first; the fault itself is the first */
	unsigned count;
	uint32_t thread;
	uint64_t faults;
};

/* A page that has to be looked at before the reason of its fault is known. */
struct fault_pending {
	uint64_t addr, weight;
	struct fault_where where;
	struct fault_verdict verdict;
	bool void_; /* it turned out otherwise */
};

/*
 * All that is made of the events of a process, in the order they happened: sums by mapping, code and
 * thread. Memory grows with how many of these there are, not with the faults.
 */
struct fault_study {
	struct fault_map map;
	struct fault_pages pages;
	struct fault_code *codes;
	size_t code_count, code_cap;
	struct fault_thread_tally *threads;
	size_t thread_count, thread_cap;
	struct fault_stack *stacks;
	size_t stack_count, stack_cap;
	struct fault_pending *pending; /* by time; to be settled and emptied after each batch */
	size_t pending_count, pending_cap;
	struct fault_tally tally; /* all */
	struct fault_tally nowhere; /* at addresses of no mapping */
	struct fault_tally more; /* of code or stacks beyond the limits */
	uint64_t forks;
	uint64_t exec_time; /* 0: it executed no other program */
	/* its own */
	struct arena arena;
	struct index by_ip, by_tid, by_stack;
};

enum { FAULT_CODES_MAX = 1 << 18, FAULT_STACKS_MAX = 1 << 18 };

void fault_study_init(struct fault_study *study, uint64_t page_size, uint64_t huge_size);
void fault_study_fini(struct fault_study *study);

void fault_study_add(struct fault_study *study, const struct fault_event *event);

/* Settle what is pending at index i: the page is page k of span, or gone (NULL). */
void fault_study_settle(struct fault_study *study, size_t i, const struct page_span *span,
			uint64_t k, uint64_t zero_pfn);
void fault_study_settled(struct fault_study *study); /* nothing is pending any more */

/*
 * In the end: as many faults failed as were counted (known false: nobody knows how many). Where more
 * were taken for such, access rights had changed: none of them is certain.
 */
void fault_study_end(struct fault_study *study, bool known, uint64_t failed);

#endif
