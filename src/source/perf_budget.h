/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PERF_BUDGET_H
#define VMVIEW_SOURCE_PERF_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many events are recorded at most: each takes the one that it happens to about a microsecond. Where
 * there are more, only each n-th is. An event that is not recorded costs some 0.1 us all the same, which is
 * much to one that does nothing but fault: in a storm that lasts events are on for a part of the time.
 */
enum {
	PERF_RECORDS_PER_SECOND = 20000,
	PERF_STORM_PER_SECOND = 100000,
	PERF_STORM_NS = 500000000, /* that it has to last */
	PERF_STORM_PART = 10,
};

struct perf_budget {
	bool fixed; /* the user chose the period */
	uint64_t period; /* now */
	uint64_t longest; /* that was used */
	unsigned part; /* events are on for one part of so many of the time: 1, PERF_STORM_PART */
	bool always_on; /* whatever comes */
	uint64_t storm_begin; /* 0: there is none */
	uint64_t window_begin, records; /* since when how many were recorded */
};

/* period 0: chosen. now: meter_now() */
void perf_budget_init(struct perf_budget *budget, uint64_t period, uint64_t now);

/* True where the period or the part is another one from now on. */
bool perf_budget_adapt(struct perf_budget *budget, uint64_t now);

#endif
