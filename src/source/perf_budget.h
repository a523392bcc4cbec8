/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PERF_BUDGET_H
#define VMVIEW_SOURCE_PERF_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many events are recorded at most: each takes the one that it happens to about a microsecond. Where
 * there are more, only each n-th is.
 */
enum { PERF_RECORDS_PER_SECOND = 20000 };

struct perf_budget {
	bool fixed; /* the user chose the period */
	uint64_t period; /* now */
	uint64_t longest; /* that was used */
	uint64_t window_begin, records; /* since when how many were recorded */
};

/* period 0: chosen. now: meter_now() */
void perf_budget_init(struct perf_budget *budget, uint64_t period, uint64_t now);

/* True where the period is another one from now on. */
bool perf_budget_adapt(struct perf_budget *budget, uint64_t now);

#endif
