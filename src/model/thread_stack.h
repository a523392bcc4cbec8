/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_THREAD_STACK_H
#define VMVIEW_MODEL_THREAD_STACK_H

#include <stdint.h>

/* A thread, and an address in its stack; 0 where none could be had. */
struct thread_stack {
	int tid;
	uint64_t address;
};

#endif
