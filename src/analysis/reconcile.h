/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_RECONCILE_H
#define VMVIEW_ANALYSIS_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/meminfo.h"

struct frame_sums;

/* What else the frames have to be held against. All in bytes, but for page_size. */
struct reconcile_input {
	const struct frame_sums *sums;	/* NULL: frames could not be read, for the reason */
	const char *reason;
	uint64_t page_size;
	struct meminfo before, after;	/* of the reading of frames; before may be empty */
	uint64_t anon_huge, shm_huge, file_huge;	/* in folios of a PMD's size or more */
	uint64_t processor_lists;	/* free, in the lists of processors */
	uint64_t managed;	/* by all zones; 0: not known */
};

/* A line beside what frames add up to. */
struct reconcile_row {
	struct bytes key;
	uint64_t meminfo;	/* after */
	bool kb;		/* bytes, else a plain number */
	bool counted;		/* frames tell it: ours and difference count */
	uint64_t frames;	/* bytes */
	int64_t difference;	/* frames - meminfo */
	int64_t moved;		/* meminfo after - before: what changed meanwhile; 0 where not known */
	bool apart;		/* not about frames at all: limits, sizes, address space */
	const char *why_not;	/* not counted: why */
	const char *note;	/* why the two differ, if they do; NULL: not counted */
	bool adjusted;		/* frames have what note says, whether the two differ or not */
};

/*
 * Bytes of MemTotal that no zone manages: memory that is not initialised yet, which some kernels count
 * as if it were, and as free. 0 where there is none, or no such memory to be seen.
 */
uint64_t reconcile_unmanaged(const struct reconcile_input *input);

/* One row a line of input->after, in its order; rows has room for all. */
void reconcile(const struct reconcile_input *input, struct reconcile_row *rows);

/*
 * Kernel memory without flags, and how much of it meminfo names: stacks, vmalloc and per-CPU areas
 * (which overlap, so the sum is at most right) and lists of processors.
 */
struct reconcile_kernel {
	uint64_t unflagged;	/* bytes */
	uint64_t vmalloc, per_cpu, processor_lists;
	uint64_t unmanaged;	/* of uninitialised memory: see reconcile_unmanaged() */
};

void reconcile_kernel(const struct reconcile_input *input, struct reconcile_kernel *out);

#endif
