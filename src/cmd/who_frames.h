/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_WHO_FRAMES_H
#define VMVIEW_CMD_WHO_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/frame_info.h"
#include "model/page.h"

struct error;
struct who_run;
struct who_target;

/* A page table entry that leads to one of the frames. */
struct who_owner {
	uint32_t frame;		/* index in pfns */
	uint32_t mapping;	/* index in the mappings of the search */
	uint64_t addr;
};

/* The frames of a target, sorted, and who was found to have them. */
struct who_frames {
	struct who_run *run;
	struct frame_source source;
	uint64_t *pfns;
	uint64_t *counts;	/* map count by frame; UINT64_MAX: not known */
	uint32_t *found;	/* owners by frame */
	bool *searched;		/* by frame: false for devices, holes and the zero page */
	size_t count, cap, open;	/* open: frames whose owners are not all found yet */
	bool cut;		/* the target has more frames than WHO_FRAMES_MAX */
	uint64_t states[PAGE_STATE_COUNT];	/* pages of a range, by state */
	const char *hidden;	/* why frames of the range are not known; NULL: they are */
	struct who_owner *owners;
	size_t owner_count, owner_cap;
};

enum { WHO_FRAMES_MAX = 65536 };

/* `vmview who pfn:N, phys:ADDR, PID:ADDR, PID:LO-HI`. Returns 0 or -errno. */
int who_frames(struct who_run *run, const struct who_target *target, struct error *err);

/* Output of who_frames.c, in JSON and for people. */
void who_frames_write(struct who_frames *frames);

#endif
