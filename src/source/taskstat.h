/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_TASKSTAT_H
#define VMVIEW_SOURCE_TASKSTAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct error;
struct process;

/*
 * Parse /proc/PID/stat (proc_pid_stat(5)); pure. The name may hold anything, also ") S 1" and
 * newlines: what counts is behind the last ')'. comm then points into text. Sets pid, comm, state,
 * ppid, kernel_thread, threads, start_time, minor_faults, major_faults, rss_pages and layout (known = false where the kernel hides it).
 * Returns 0, or -EPROTO, *process then untouched.
 */
int stat_parse(struct bytes text, struct process *process, struct error *err);

/*
 * The value of a key of /proc/PID/status ("VmRSS", "Threads"), or of meminfo and files alike: what is
 * behind "KEY:" and blanks, up to the end of the line; pure. False where there is no such line.
 */
bool status_find(struct bytes text, const char *key, struct bytes *value);

/*
 * The same as a number; kB become bytes. False too where it is no number, does not fit, or has another
 * unit.
 */
bool status_u64(struct bytes text, const char *key, uint64_t *out);

/* The n-th (from 0) number of the value: `Uid: real effective saved fs`. */
bool status_nth(struct bytes text, const char *key, unsigned n, uint64_t *out);

#endif
