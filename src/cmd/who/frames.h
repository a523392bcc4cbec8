/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_WHO_FRAMES_H
#define VMVIEW_CMD_WHO_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/frame_info.h"
#include "model/page.h"

struct error;
struct who_run;
struct who_target;

/* A page table entry that leads to one of the frames. */
struct who_owner {
	uint32_t frame; /* index in pfns */
	uint32_t mapping; /* index in the mappings of the search */
	uint64_t addr;
};

/* The frames of a target, sorted, and who was found to have them. */
struct who_frames {
	struct who_run *run;
	struct frame_source source;
	uint64_t *pfns;
	uint64_t *counts; /* map count by frame; UINT64_MAX: not known, or an average */
	bool *average; /* by frame: the kernel counts no more than the folio's average */
	uint32_t *found; /* owners by frame */
	bool *searched; /* by frame: false for devices, holes and the zero page */
	size_t count, cap, open; /* open: frames whose owners are not all found yet */
	bool cut; /* the target has more frames than WHO_FRAMES_MAX */
	uint64_t states[PAGE_STATE_COUNT]; /* pages of a range, by state */
	const char *hidden; /* why frames of the range are not known; NULL: they are */
	struct who_owner *owners;
	size_t owner_count, owner_cap, owners_before;
};

enum { WHO_FRAMES_MAX = 65536 };

/* `vmview who pfn:N, phys:ADDR, PID:ADDR, PID:LO-HI`. Returns 0 or -errno. */
int who_frames(struct who_run *run, const struct who_target *target, struct error *err);

/*
 * The same without output, for who asks otherwise: who_frames_rows() then makes the rows of the run, which
 * outlive frames. who_frames_fini() also after an error.
 */
int who_frames_find(struct who_run *run, const struct who_target *target, struct who_frames *frames,
		    struct error *err);
void who_frames_fini(struct who_frames *frames);
void who_frames_rows(struct who_frames *frames);

/* Owners of a frame that its map count tells of but nobody was found for. */
struct value who_frames_missing(const struct who_frames *frames, size_t frame);

/* Output of who_frames.c, in JSON and for people. */
void who_frames_write(struct who_frames *frames);

#endif
