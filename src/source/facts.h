/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FACTS_H
#define VMVIEW_SOURCE_FACTS_H

#include <stdbool.h>

struct arena;
struct error;
struct procdir;
struct process;

enum fact {
	FACT_STAT = 1, /* pid, comm, state, ppid, kernel_thread, threads, start_time, rss, layout */
	FACT_CMDLINE = 2,
	FACT_STATUS = 4, /* uid, kernel_thread */
	FACT_EXE = 8,
	FACT_CGROUP = 16,
	FACT_ALL = 31,
};

/*
 * Read what is asked for (enum fact) of a process. What can not be read is listed in
 * process->missing with its reason; only a process that is gone is an error (-ESRCH).
 * cmdline comes last: a target can make its reader wait.
 */
int facts_read(const struct procdir *dir, struct arena *arena, unsigned facts,
	       struct process *process, struct error *err);

/*
 * Of a process whose main thread has exited, dir being that of another one: the facts that only a living
 * thread shows, layout, exe and cmdline, in place of those that facts_read() could not have.
 */
void facts_of_thread(const struct procdir *dir, struct arena *arena, unsigned facts,
		     struct process *process);

/* False where the process ended or executed a program just when its facts were read: not all are set. */
bool facts_are_settled(const struct procdir *dir, const struct process *process);

/* Whether the main thread exited after its state was read: exe and cmdline are those of nothing. */
bool facts_lost_exe(const struct process *process);

/*
 * Whether they are of a main thread that is not the process any more: it was reaped just now, or another
 * thread executes a program, and takes its place. It is dead then, or a zombie without any thread.
 */
bool facts_are_replaced(const struct process *process);

/* Wait as long as exec takes to go on, before facts that are not settled are read again. */
void facts_await_exec(void);

/* What stat says now, but for the name. False where it can not be read. */
bool facts_now(const struct procdir *dir, struct process *process);

/* Whether the process that dir was opened for still exists, as more than a zombie. */
bool facts_is_alive(const struct procdir *dir);

#endif
