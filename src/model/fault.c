/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault.h"

/* Each meaning fits a line of 80 columns behind the figures. */
const struct code_name fault_reasons[FAULT_REASON_COUNT + 1] = {
	[FAULT_FIRST_TOUCH] = { "first-touch", "anonymous memory, used for the first time" },
	[FAULT_AGAIN] = { "again", "was given back (MADV_DONTNEED, munmap), used again" },
	[FAULT_HUGE] = { "huge", "a whole huge page, used for the first time" },
	[FAULT_ZERO] = { "zero", "read before it was written: the zero page" },
	[FAULT_ZERO_WRITE] = { "zero-write", "written, when it had only been read before" },
	[FAULT_COW] = { "cow", "written first since fork (or KSM): copied" },
	[FAULT_COW_REUSE] = { "cow-reuse", "written first since fork, no copy: now its own" },
	[FAULT_COW_EITHER] = { "cow?", "written first since fork; copied or not: not known" },
	[FAULT_FILE] = { "file", "page of a file, found in the page cache" },
	[FAULT_FILE_COPY] = { "file-copy", "page of a file, written privately: copied" },
	[FAULT_FILE_WRITE] = { "file-write", "clean page of a shared file mapping, written" },
	[FAULT_DISK] = { "disk", "page of a file, read from its device" },
	[FAULT_SHARED_MEMORY] = { "shared", "shared memory, mapped or made by this access" },
	[FAULT_SWAP] = { "swap", "was swapped out" },
	[FAULT_PROTECT] = { "protect", "was there, without access: mprotect, userfaultfd" },
	[FAULT_FAILED] = { "failed", "not allowed: ends in SIGSEGV or SIGBUS" },
	[FAULT_OTHER] = { "other", "not certain to be one of the others" },
};
