/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_THREADS_H
#define VMVIEW_SOURCE_THREADS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct error;
struct procdir;
struct thread_stack;

/*
 * The stack pointer in the text of /proc/PID/task/TID/syscall: the last but one word of
 * "NR A0 .. A5 SP PC" or "-1 SP PC". 0 for "running" and all else; pure.
 */
uint64_t syscall_parse_sp(struct bytes text);

/*
 * An address in the stack of each thread but the first: its stack pointer, or, of a thread that runs
 * and shows none, its robust list head (get_robust_list(2)), which C libraries keep in the thread
 * block at the top of the stack. Neither stops nor touches the thread.
 * Returns 0, or -errno where the threads can not be listed.
 */
int threads_read(const struct procdir *dir, struct arena *arena, struct thread_stack **out,
		 size_t *count, struct error *err);

#endif
