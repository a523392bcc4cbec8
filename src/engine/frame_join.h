/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_FRAME_JOIN_H
#define VMVIEW_ENGINE_FRAME_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/caps.h"

struct context;
struct error;
struct procdir;
struct sharing;

/*
 * The frames of processes, joined (analysis/sharing.h): maps and pagemap of each are read once, and
 * nothing of them is kept but the sets.
 *
 *	join = frame_join_new(ctx, &caps);
 *	frame_join_add(join, &dir, &process, &err) ..		(of each process)
 *	frame_join_finish(join);
 *	sharing_groups(frame_join_sharing(join), &count) ..
 */
struct frame_join;

/* caps from caps_probe(); CAPS_FRAMES has to be there, or nothing can be joined. */
struct frame_join *frame_join_new(struct context *ctx, const struct caps *caps);
void frame_join_free(struct frame_join *join);

struct frame_join_process {
	uint32_t index; /* in the sharing; valid where 0 was returned and same_as is 0 */
	int same_as; /* process read before whose address space this one has; 0: none */
	size_t mappings; /* 0: no memory of its own: a kernel thread or a zombie */
	uint64_t swapped; /* pages in swap, by page table */
	unsigned retries; /* it changed its memory (exec) while it was read, and was read again */
	bool changed; /* mappings overlapped: they changed while they were read */
};

/*
 * Read a process into the join. Returns 0, or -errno: nothing of it is then in the join; -ESRCH where
 * it is gone, -EACCES where pagemap may not be read or hides its frames.
 */
int frame_join_add(struct frame_join *join, const struct procdir *dir,
		   struct frame_join_process *out, struct error *err);

/*
 * The thread that was adding a process was left behind (engine/crew.h): nothing of that process is in the join. To
 * be called before the next one is added; nothing happens where none was being added.
 */
void frame_join_abandon(struct frame_join *join);

/* Map counts and KSM marks of the shared frames, then add up. */
void frame_join_finish(struct frame_join *join);

struct sharing *frame_join_sharing(struct frame_join *join);

/* Why pss and closed of the sharing are not known (no kpagecount); NULL: they are. */
const char *frame_join_no_counts(const struct frame_join *join);

/* Whether map counts of big folios are averages, so that pss, uss and closed are estimates. */
bool frame_join_has_averages(const struct frame_join *join);

#endif
