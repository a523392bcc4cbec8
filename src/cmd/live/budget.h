/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_BUDGET_H
#define VMVIEW_CMD_LIVE_BUDGET_H

#include <stdint.h>

enum { BUDGET_PERCENT = 10 }; /* of a CPU, unless told otherwise */

/*
 * How much CPU time readings may take: a share of the time that goes by. What is not used is kept, up to
 * the share of BUDGET_KEPT_NS, so that single keys are answered at once; what was overdrawn
 * has to be waited for. Over any time T no more is spent than share * (T + BUDGET_KEPT_NS), and
 * what the last reading was over that. Times are nanoseconds of meter_now() and of CPU.
 */
struct live_budget {
	unsigned percent;
	int64_t left; /* CPU time */
	uint64_t at; /* when that was so */
};

#define BUDGET_KEPT_NS 2000000000ull

void live_budget_init(struct live_budget *budget, unsigned percent, uint64_t now);

/* How long to wait until something may be read: 0 now. */
uint64_t live_budget_wait(struct live_budget *budget, uint64_t now);

/* A reading that ended now took so much CPU time. */
void live_budget_spend(struct live_budget *budget, uint64_t now, uint64_t cpu);

#endif
