/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_FRAME_JOIN_H
#define VMVIEW_ENGINE_FRAME_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/caps.h"

struct context;
struct error;
struct sharing;
struct visit;

/*
 * The frames of processes, joined (analysis/sharing.h): maps and pagemap of each are read once, and
 * nothing of them is kept but the sets. The parts of a visitor (engine/visit.h) with no_mappings:
 *
 *	join = frame_join_new(ctx, &caps);
 *	visit_targets(ctx, ..);
 *		bind:		frame_join_bind(join, visit);
 *		read:		frame_join_read(join, visit, &process, err);
 *		done:		frame_join_keep(join), where all of it was read
 *	frame_join_finish(join);
 *	sharing_groups(frame_join_sharing(join), &count) ..
 */
struct frame_join;

/* caps from caps_probe(); CAPS_FRAMES has to be there, or nothing can be joined. */
struct frame_join *frame_join_new(struct context *ctx, const struct caps *caps);
void frame_join_free(struct frame_join *join);

struct frame_join_process {
	uint32_t index; /* in the sharing; valid where 0 was returned and mappings is not 0 */
	size_t mappings; /* 0: no memory of its own, or that of visit->same_as */
	uint64_t swapped; /* pages in swap, by page table */
	bool changed; /* mappings overlapped: they changed while they were read */
};

/* Opens pagemap before anything else is read; that it can not, frame_join_read() says. Returns 0. */
int frame_join_bind(struct frame_join *join, struct visit *visit);

/*
 * Read a process into the join. Returns 0, or -errno: nothing of it is then in the join; -ESRCH where
 * it has no memory, -EAGAIN where that went away, -EACCES where pagemap may not be read or hides its
 * frames.
 */
int frame_join_read(struct frame_join *join, struct visit *visit, struct frame_join_process *out,
		    struct error *err);

/* The process that was read last stays in the join; else the next one drops it. */
void frame_join_keep(struct frame_join *join);

/* Map counts and KSM marks of the shared frames, then add up. */
void frame_join_finish(struct frame_join *join);

struct sharing *frame_join_sharing(struct frame_join *join);

/* Why pss and closed of the sharing are not known (no kpagecount); NULL: they are. */
const char *frame_join_no_counts(const struct frame_join *join);

/* Whether map counts of big folios are averages, so that pss, uss and closed are estimates. */
bool frame_join_has_averages(const struct frame_join *join);

#endif
