/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/perf_budget.h"

enum { WINDOW_NS = 200000000 };

void perf_budget_init(struct perf_budget *budget, uint64_t period, uint64_t now)
{
	*budget = (struct perf_budget){ .fixed = period,
					.period = period ? period : 1,
					.window_begin = now };
	budget->longest = budget->period;
}

bool perf_budget_adapt(struct perf_budget *budget, uint64_t now)
{
	const uint64_t in_window = (uint64_t)PERF_RECORDS_PER_SECOND * WINDOW_NS / 1000000000;
	uint64_t elapsed = now - budget->window_begin;
	double wanted;
	uint64_t want;

	/* a window ends sooner where twice as much came as it may hold */
	if (budget->fixed || (elapsed < WINDOW_NS && budget->records < 2 * in_window))
		return false;
	wanted = (double)budget->records * (double)budget->period * 1e9 /
		 (double)(elapsed ? elapsed : 1) / PERF_RECORDS_PER_SECOND;
	want = (uint64_t)wanted + 1;
	budget->window_begin = now;
	budget->records = 0;
	/* a lower one has to be worth it */
	if (want == budget->period || (want < budget->period && 2 * want > budget->period))
		return false;
	budget->period = want;
	if (want > budget->longest)
		budget->longest = want;
	return true;
}
