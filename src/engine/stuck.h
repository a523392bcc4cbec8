/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_STUCK_H
#define VMVIEW_ENGINE_STUCK_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct root;

/*
 * Processes that did not answer (engine/crew.h): why, told once, so that no later part of the run waits
 * for them again.
 */
struct stuck {
	struct stuck_item {
		int pid;
		const char *reason;
	} * items;
	size_t count, cap;
};

/* The reason of the process in words, "stuck: no answer in 5 s (..)", or NULL: it is not known as stuck. */
const char *stuck_find(const struct stuck *stuck, int pid);

/*
 * Note that the process did not answer for so long. Returns the reason, in arena, with the thread that
 * holds things up and where it waits in the kernel: from /proc/PID/task/TID/{stat,wchan,syscall}, which
 * take no lock.
 */
const char *stuck_note(struct stuck *stuck, const struct root *root, struct arena *arena, int pid,
		       uint64_t waited_ns);

void stuck_fini(struct stuck *stuck);

#endif
