/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_HUGE_MACHINE_H
#define VMVIEW_CMD_HUGE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/counters.h"

struct context;
struct thp;

/* What the machine as a whole does about huge pages: settings, pools, counters. */
struct huge_machine {
	struct context *ctx;
	const struct thp *thp;
	struct counters counters;
};

void huge_machine_begin(struct huge_machine *machine, struct context *ctx, const struct thp *thp,
			uint64_t interval_ns);

/* Waits for the end of the interval. settings: for people too, JSON has them always. */
void huge_machine_write(struct huge_machine *machine, bool settings);

#endif
