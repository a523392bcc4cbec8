/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_CREW_H
#define VMVIEW_ENGINE_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct meter;
struct root;

/*
 * Threads that read, while the thread that called watches them, so that a target that does not answer
 * costs a bounded time (source/meter.h tells how a read may never return). A thread whose read takes
 * longer than the timeout is left behind in the kernel, and a new one goes on with the next item;
 * should the read return after all, the thread ends there. When the program exits the kernel ends
 * those that are left.
 *
 * The first target that does not answer is waited for as long as the timeout says, the next one half
 * as long, and so on: all that wait at a time cost less than two timeouts. A shorter wait ends only
 * where the thread sleeps uninterruptibly, so that a slow machine is not taken for a stuck target.
 *
 * The first thread is kept for the next job: children that it made live as long as it does.
 */
enum { CREW_MOST = 8 };

struct crew_job {
	size_t items;
	unsigned workers; /* that work side by side, at most CREW_MOST; 1: in order */
	/* meter_now() when what is under way is given up, but nothing that begins later; 0: never */
	uint64_t deadline;
	/* called once for each item; what a worker changes is its own */
	void (*work)(void *ctx, unsigned worker, size_t item);
	/* by which the worker's reads are watched */
	struct meter *(*meter)(void *ctx, unsigned worker);
	/*
	 * In the caller's thread: the worker's thread was left behind while it worked on item. All that it
	 * used is to be left to it; when this returns, a new thread works under its number.
	 */
	void (*abandoned)(void *ctx, unsigned worker, size_t item, uint64_t waited_ns);
	void *ctx;
};

/* timeout_ns 0: reads are waited for for ever. root must outlive the crew. */
struct crew *crew_new(const struct root *root, uint64_t timeout_ns);
void crew_free(struct crew *crew);

/*
 * At the end of the program: a thread that waits for a job ends with it, since joining it would be two more
 * switches. NULL is fine.
 */
void crew_leave(struct crew *crew);

/* Returns when each item was worked on or abandoned. */
void crew_run(struct crew *crew, const struct crew_job *job);

/*
 * The number of the thread that was left behind last, from 1 on; for abandoned(). And whether that thread
 * has come back since, or what it waited for has ended: what it used can then be freed, and its target
 * be asked again.
 */
uint64_t crew_left(const struct crew *crew);
bool crew_came_back(struct crew *crew, uint64_t left);

#endif
