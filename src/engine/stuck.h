/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_STUCK_H
#define VMVIEW_ENGINE_STUCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct crew;
struct root;

/*
 * Processes that did not answer (engine/crew.h): why, told once, so that no later part of the run waits
 * for them again.
 */
struct stuck {
	struct crew *
		crew; /* whose threads wait for them; NULL: it is not known whether they still do */
	struct stuck_item {
		int pid;
		char *reason;
		uint64_t left; /* the thread that waits for it: crew_left() */
		void *held; /* what that uses */
		void (*release)(void *held);
	} * items;
	size_t count, cap;
};

/*
 * The reason of the process in words, "stuck: no answer in 5 s (..)", until it is forgotten; or NULL: it is not
 * known as stuck.
 */
const char *stuck_find(const struct stuck *stuck, int pid);

/*
 * Note that the process did not answer for so long. Returns the reason, in arena, with the thread that
 * holds things up and where it waits in the kernel: from /proc/PID/task/TID/{stat,wchan,syscall}, which
 * take no lock.
 */
const char *stuck_note(struct stuck *stuck, const struct root *root, struct arena *arena, int pid,
		       uint64_t waited_ns);

/* Whether a thread of the process sleeps in the kernel, so that it may be the one that does not answer. */
bool stuck_sleeps(const struct root *root, int pid);

/* What the thread uses that waits for the one that was noted last; released when that is forgotten. */
void stuck_hold(struct stuck *stuck, void *held, void (*release)(void *held));

/* For a run that goes on: forget those that answered after all, or ended. */
void stuck_forget(struct stuck *stuck);

void stuck_fini(struct stuck *stuck);

#endif
