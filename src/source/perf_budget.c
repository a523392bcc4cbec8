/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/perf_budget.h"

enum { WINDOW_NS = 200000000 };

void perf_budget_init(struct perf_budget *budget, uint64_t period, uint64_t now)
{
	*budget = (struct perf_budget){
		.fixed = period, .period = period ? period : 1, .part = 1, .window_begin = now
	};
	budget->longest = budget->period;
}

/* It takes less to stay in a storm than to get into it. */
static bool set_part(struct perf_budget *budget, double rate, uint64_t now)
{
	unsigned was = budget->part;

	if (rate <= PERF_STORM_PER_SECOND)
		budget->storm_begin = 0;
	else if (!budget->storm_begin)
		budget->storm_begin = budget->window_begin;
	if (budget->storm_begin && now - budget->storm_begin >= PERF_STORM_NS && !budget->always_on)
		budget->part = PERF_STORM_PART;
	else if (2 * rate < PERF_STORM_PER_SECOND)
		budget->part = 1;
	return budget->part != was;
}

bool perf_budget_adapt(struct perf_budget *budget, uint64_t now)
{
	const uint64_t in_window = (uint64_t)PERF_RECORDS_PER_SECOND * WINDOW_NS / 1000000000;
	uint64_t elapsed = now - budget->window_begin;
	bool another;
	uint64_t want;
	double rate;

	/* a window ends sooner where twice as much came as it may hold */
	if (budget->fixed || (elapsed < WINDOW_NS && budget->records < 2 * in_window))
		return false;
	rate = (double)budget->records * (double)budget->period * budget->part * 1e9 /
	       (double)(elapsed ? elapsed : 1);
	another = set_part(budget, rate, now);
	want = (uint64_t)(rate / budget->part / PERF_RECORDS_PER_SECOND) + 1;
	budget->window_begin = now;
	budget->records = 0;
	/* a lower one has to be worth it */
	if (want == budget->period || (want < budget->period && 2 * want > budget->period))
		return another;
	budget->period = want;
	if (want > budget->longest)
		budget->longest = want;
	return true;
}
