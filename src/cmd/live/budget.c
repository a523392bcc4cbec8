/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/budget.h"

/* A machine that slept for a year is no reason for numbers to overflow. */
#define STEP_MOST_NS 3600000000000ull

static void bring_up(struct live_budget *budget, uint64_t now)
{
	const int64_t most = (int64_t)(BUDGET_KEPT_NS / 100 * budget->percent);
	uint64_t step = now > budget->at ? now - budget->at : 0;

	step = step < STEP_MOST_NS ? step : STEP_MOST_NS;
	budget->left += (int64_t)(step * budget->percent / 100);
	budget->left = budget->left < most ? budget->left : most;
	budget->at = now;
}

void live_budget_init(struct live_budget *budget, unsigned percent, uint64_t now)
{
	*budget = (struct live_budget){
		.percent = percent,
		.left = (int64_t)(BUDGET_KEPT_NS / 100 * percent),
		.at = now,
	};
}

uint64_t live_budget_wait(struct live_budget *budget, uint64_t now)
{
	bring_up(budget, now);
	if (budget->left >= 0)
		return 0;
	/* rounded up, or the wait would end a moment too early and be made again */
	return ((uint64_t)-budget->left * 100 + budget->percent - 1) / budget->percent;
}

void live_budget_spend(struct live_budget *budget, uint64_t now, uint64_t cpu)
{
	bring_up(budget, now);
	budget->left -= (int64_t)(cpu < STEP_MOST_NS ? cpu : STEP_MOST_NS);
}
