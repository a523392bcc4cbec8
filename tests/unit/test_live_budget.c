/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/budget.h"

#include "unit.h"

#define MS 1000000ull

/* What is kept from idle time is the share of two seconds. */
static void test_kept(void **state)
{
	struct live_budget budget;

	(void)state;
	live_budget_init(&budget, 10, 5000 * MS);
	assert_int_equal(live_budget_wait(&budget, 5000 * MS), 0);
	live_budget_spend(&budget, 5000 * MS, 200 * MS);
	assert_int_equal(live_budget_wait(&budget, 5000 * MS), 0);
	live_budget_spend(&budget, 5000 * MS, 1 * MS);
	assert_int_equal(live_budget_wait(&budget, 5000 * MS), 10 * MS);
	assert_int_equal(live_budget_wait(&budget, 5009 * MS), 1 * MS);
	assert_int_equal(live_budget_wait(&budget, 5010 * MS), 0);
	/* an hour of rest is worth no more than two seconds of it */
	assert_int_equal(live_budget_wait(&budget, 3600000 * MS), 0);
	live_budget_spend(&budget, 3600000 * MS, 300 * MS);
	assert_int_equal(live_budget_wait(&budget, 3600000 * MS), 1000 * MS);
}

static const struct share_case {
	unsigned percent;
	uint64_t cost, wait;
} share_cases[] = {
	{ 1, 20 * MS + 1, 100 },       { 3, 60 * MS + 1, 34 }, /* rounded up */
	{ 10, 5000 * MS, 48000 * MS }, { 50, 1001 * MS, 2 * MS }, { 100, 2001 * MS, 1 * MS },
};

static void test_share(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(share_cases); i++) {
		const struct share_case *c = &share_cases[i];
		struct live_budget budget;

		live_budget_init(&budget, c->percent, 0);
		live_budget_spend(&budget, 0, c->cost);
		assert_int_equal(live_budget_wait(&budget, 0), c->wait);
		assert_int_equal(live_budget_wait(&budget, c->wait), 0);
	}
}

/* Read whenever it is allowed, for a minute: what that takes is the share, and what was kept. */
static void test_sum(void **state)
{
	const uint64_t end = 60000 * MS, cost = 7 * MS;
	struct live_budget budget;
	uint64_t now = 0, sum = 0;

	(void)state;
	live_budget_init(&budget, 10, 0);
	while (now < end) {
		live_budget_spend(&budget, now, cost);
		sum += cost;
		now += live_budget_wait(&budget, now);
	}
	assert_in_range(sum, 6200 * MS - cost, 6200 * MS + cost);
}

/* A clock that stands or a number that is too big. */
static void test_odd(void **state)
{
	struct live_budget budget;

	(void)state;
	live_budget_init(&budget, 10, 100);
	assert_int_equal(live_budget_wait(&budget, 50), 0);
	live_budget_spend(&budget, 100, UINT64_MAX);
	assert_true(live_budget_wait(&budget, 100) <= 36000000 * MS);
	assert_true(live_budget_wait(&budget, UINT64_MAX) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests_name("live_budget", tests, NULL, NULL);
}
