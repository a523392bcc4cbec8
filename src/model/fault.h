/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_FAULT_H
#define VMVIEW_MODEL_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/value.h"

/* What is known of a page fault when it begins. */
enum fault_bit {
	FAULT_KNOWS_PRESENT = 1, /* whether the page was there is known: FAULT_PRESENT */
	FAULT_KNOWS_WRITE = 2, /* whether it was a write is known: FAULT_WRITE, FAULT_EXEC */
	FAULT_PRESENT = 4, /* the page was mapped, the access was not allowed */
	FAULT_WRITE = 8,
	FAULT_EXEC = 16, /* an instruction was fetched */
	FAULT_KERNEL = 32, /* the kernel accessed it for the process: read(2) into a buffer */
};

enum fault_event_kind {
	FAULT_EVENT_FAULT, /* time, tid, addr, ip, bits, chain */
	FAULT_EVENT_MAJOR, /* the fault of tid at addr ended, and had to wait for a device */
	FAULT_EVENT_MAP, /* start .. end is a mapping now: file, offset, perm */
	FAULT_EVENT_FORK, /* of the process: all its private memory is shared */
	FAULT_EVENT_EXEC, /* its memory is another one */
	FAULT_EVENT_NAME, /* tid is called text */
	FAULT_EVENT_THREAD, /* tid was made */
};

enum { FAULT_CHAIN_MAX = 127 };

/* Something that happened to the memory of a process. Texts and chains live as long as their batch. */
struct fault_event {
	enum fault_event_kind kind;
	int tid;
	uint64_t time; /* nanoseconds, CLOCK_MONOTONIC */
	uint64_t addr, ip;
	unsigned bits; /* enum fault_bit */
	uint64_t weight; /* how many faults this one stands for */
	uint64_t start, end, offset, inode;
	uint8_t perm; /* enum vma_perm */
	struct bytes text;
	const uint64_t *chain; /* return addresses of the process, innermost first */
	unsigned chain_count;
};

/* Why a page fault happened. */
enum fault_reason {
	FAULT_FIRST_TOUCH,
	FAULT_AGAIN,
	FAULT_HUGE,
	FAULT_ZERO,
	FAULT_ZERO_WRITE,
	FAULT_COW,
	FAULT_COW_REUSE,
	FAULT_COW_EITHER,
	FAULT_FILE,
	FAULT_FILE_COPY,
	FAULT_FILE_WRITE,
	FAULT_DISK,
	FAULT_SHARED_MEMORY,
	FAULT_SWAP,
	FAULT_PROTECT,
	FAULT_FAILED,
	FAULT_OTHER,
	FAULT_REASON_COUNT,
};

/* By enum fault_reason: "first-touch", and what it means. */
extern const struct code_name fault_reasons[FAULT_REASON_COUNT + 1];

#endif
