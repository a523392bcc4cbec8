/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_PROCESS_H
#define VMVIEW_MODEL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/missing.h"

struct core;

/* Boundaries that the process claims (prctl(PR_SET_MM) can move them): /proc/PID/stat. */
struct process_layout {
	bool known;
	bool denied; /* not known for want of rights */
	bool empty; /* not known since there is no memory, or no program in it yet (exec) */
	const char *reason; /* why it is not known */
	uint64_t code_start, code_end;
	uint64_t data_start, data_end;
	uint64_t brk_start; /* the heap's end is the end of [heap] */
	uint64_t stack_start;
	uint64_t args_start, args_end;
	uint64_t env_start, env_end;
};

/*
 * What /proc/PID says of a process besides its memory. Members that could not be read are listed in
 * missing by their JSON key, with the reason; texts then have len 0. All text lives in the arena
 * that was given when it was read.
 */
struct process {
	int32_t pid;
	int32_t ppid;
	struct bytes comm; /* of stat, raw */
	struct bytes cmdline; /* a NUL behind each argument; empty for kernel threads */
	struct bytes exe; /* the link /proc/PID/exe */
	struct bytes cgroup; /* path in the unified, else the memory hierarchy */
	struct bytes units; /* path that has systemd's names: in its own hierarchy, else cgroup */
	struct bytes user; /* name of uid */
	uint32_t uid; /* effective user */
	bool uid_known;
	bool kernel_thread;
	char state; /* R S D T t Z X I */
	uint32_t threads;
	uint64_t start_time; /* stat field 22: clock ticks after boot; identity with the pid */
	uint64_t minor_faults, major_faults; /* stat fields 10 and 12: since it began */
	uint64_t rss_pages; /* stat field 24, in pages */
	struct process_layout layout;
	const struct core *core; /* NULL: it lives, or is recorded */
	struct missing missing;
	bool complete; /* all that was asked for was read, and nothing changed under us */
};

#endif
