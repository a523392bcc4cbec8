/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "unit.h"

enum { ITEMS = 10000 };

struct job {
	unsigned char done[ITEMS];
	size_t by[WORKERS_MAX];
	pthread_t caller;
	bool caller_is_0;
};

static void work(void *ctx, unsigned worker, size_t item)
{
	struct job *job = ctx;

	__atomic_add_fetch(&job->done[item], 1, __ATOMIC_RELAXED);
	job->by[worker]++;
	if (!worker && !pthread_equal(pthread_self(), job->caller))
		job->caller_is_0 = false;
}

static void test_each_once(void **state)
{
	static const unsigned workers[] = { 0, 1, 2, WORKERS_MAX, 1000 };

	(void)state;
	for (size_t k = 0; k < COUNT(workers); k++) {
		struct job *job = calloc(1, sizeof(*job));
		size_t sum = 0;

		assert_non_null(job);
		job->caller = pthread_self();
		job->caller_is_0 = true;
		workers_run(workers[k], ITEMS, work, job);
		for (size_t i = 0; i < ITEMS; i++)
			assert_int_equal(job->done[i], 1);
		for (size_t i = 0; i < WORKERS_MAX; i++)
			sum += job->by[i];
		assert_int_equal(sum, ITEMS);
		assert_true(job->caller_is_0);
		free(job);
	}
	workers_run(4, 0, work, NULL);
}

static void where(void *ctx, unsigned worker, size_t item)
{
	cpu_set_t *sets = ctx;

	(void)item;
	sched_getaffinity(0, sizeof(sets[worker]), &sets[worker]);
}

/* Wherever they begin, they may go where the caller may. */
static void test_processors(void **state)
{
	cpu_set_t sets[WORKERS_MAX], all;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	for (size_t i = 0; i < WORKERS_MAX; i++)
		sets[i] = all;
	workers_run(WORKERS_MAX, ITEMS, where, sets);
	for (size_t i = 0; i < WORKERS_MAX; i++)
		assert_true(CPU_EQUAL(&sets[i], &all));
}

static void test_wanted(void **state)
{
	cpu_set_t all, one;
	unsigned cpus;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	cpus = (unsigned)CPU_COUNT(&all);
	assert_int_equal(workers_wanted(0, 10), 1);
	assert_int_equal(workers_wanted(19, 10), 1);
	assert_int_equal(workers_wanted(20, 10), cpus > 1 ? 2 : 1);
	assert_int_equal(workers_wanted(SIZE_MAX, 1), cpus < WORKERS_MAX ? cpus : WORKERS_MAX);
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all)) {
			CPU_SET(i, &one);
			break;
		}
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(workers_wanted(1000, 1), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_processors),
		cmocka_unit_test(test_wanted),
	};

	return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
