/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PIDS_H
#define VMVIEW_SOURCE_PIDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct error;
struct root;

/* A process of the list. */
struct pid_entry {
	int pid, ppid;
	uint32_t uid; /* effective user */
	struct bytes user; /* its name; empty where there is none */
	struct bytes comm;
};

/*
 * The numbers of all processes, sorted, and nothing else of them: a listing of proc/, a tenth of the
 * cost of pids_list(). Returns 0 or -errno.
 */
int pids_scan(const struct root *root, struct arena *arena, int **out, size_t *count,
	      struct error *err);

/*
 * All processes, in the order of their pids. Live: libproc2, which is opened when it is first needed
 * (it pulls in libraries that cost every run a millisecond). Recorded: the numbered directories of
 * proc/, users without names. Returns 0 or -errno.
 */
int pids_list(const struct root *root, struct arena *arena, struct pid_entry **out, size_t *count,
	      struct error *err);

/* The name of the effective user of one process, by libproc2. -ENOENT where there is none. */
int pids_user(const struct root *root, int pid, struct arena *arena, struct bytes *out);

#endif
