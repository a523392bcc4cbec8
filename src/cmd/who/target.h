/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_WHO_TARGET_H
#define VMVIEW_CMD_WHO_TARGET_H

#include <stdint.h>

struct error;

/* What `vmview who` asks about. */
enum who_kind {
	WHO_RANGE,	/* PID:ADDR (the page of one address) or PID:LO-HI */
	WHO_PFN,	/* pfn:N */
	WHO_PHYS,	/* phys:ADDR */
	WHO_FILE,	/* a path */
};

struct who_target {
	enum who_kind kind;
	int pid;
	uint64_t start,
		end; /* addresses; of one address end is start + 1; start alone: pfn, phys */
	const char *path;
};

/*
 * Parse the operand; pure. Addresses are hex, frame numbers decimal or 0x hex. What is in none of the
 * forms is a path, and so is everything with a slash. Returns 0 or -EINVAL.
 */
int who_target_parse(const char *text, struct who_target *out, struct error *err);

#endif
