/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/crew.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "engine/stuck.h"
#include "source/meter.h"
#include "source/root.h"
#include "unit.h"

enum { TIMEOUT_NS = 50000000, ITEMS = 4, STUCK = 1 };

/* A target that does not answer is a pipe that nobody writes to. */
struct job {
	struct meter meter;
	int pipe[2];
	char *buffer; /* left to the thread that waits */
	unsigned done[ITEMS], abandoned[ITEMS];
	struct crew *crew;
	uint64_t left;
};

static void work(void *ctx, unsigned worker, size_t item)
{
	struct job *job = ctx;

	(void)worker;
	if (item == STUCK)
		meter_read(&job->meter, job->pipe[0], job->buffer, 1);
	job->done[item]++;
}

static struct meter *meter_of(void *ctx, unsigned worker)
{
	(void)worker;
	return &((struct job *)ctx)->meter;
}

static void abandoned(void *ctx, unsigned worker, size_t item, uint64_t waited_ns)
{
	struct job *job = ctx;

	(void)worker;
	assert_true(waited_ns >= TIMEOUT_NS);
	job->abandoned[item]++;
	job->left = crew_left(job->crew);
}

static bool comes_back(struct crew *crew, uint64_t left)
{
	const struct timespec moment = { 0, 1000000 };

	for (unsigned i = 0; i < 5000; i++) {
		if (crew_came_back(crew, left))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

static void begin(struct job *job, struct root *root)
{
	*job = (struct job){ .buffer = calloc(1, 1) };
	assert_int_equal(pipe(job->pipe), 0);
	assert_int_equal(root_open(root, NULL, &job->meter, NULL), 0);
	job->crew = crew_new(root, TIMEOUT_NS);
}

static void run(struct job *job)
{
	const struct crew_job crew_job = {
		.items = ITEMS,
		.workers = 1,
		.work = work,
		.meter = meter_of,
		.abandoned = abandoned,
		.ctx = job,
	};

	crew_run(job->crew, &crew_job);
}

static void end(struct job *job, struct root *root)
{
	crew_free(job->crew);
	root_close(root);
	close(job->pipe[0]);
	close(job->pipe[1]);
	free(job->buffer);
}

/* One of four does not answer: the others are done, and its thread is seen to come back. */
static void test_left_behind(void **state)
{
	struct root root;
	struct job job;

	(void)state;
	begin(&job, &root);
	run(&job);
	for (size_t i = 0; i < ITEMS; i++) {
		assert_int_equal(job.done[i], i != STUCK);
		assert_int_equal(job.abandoned[i], i == STUCK);
	}
	assert_int_equal(job.left, 1);
	assert_false(crew_came_back(job.crew, job.left));
	assert_int_equal(write(job.pipe[1], "x", 1), 1);
	assert_true(comes_back(job.crew, job.left));
	/* it ended in its read: what comes behind that was not reached */
	assert_int_equal(job.done[STUCK], 0);
	end(&job, &root);
}

static unsigned released;

static void release(void *held)
{
	assert_string_equal(held, "held");
	released++;
}

/* Known as stuck for as long as the thread waits, and forgotten with what that used. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define VMVIEW_CLANG_ASAN
#endif
#endif

static void test_nothing(void **state)
{
	(void)state;
	skip();
}

#if defined(__SANITIZE_ADDRESS__) || defined(VMVIEW_CLANG_ASAN)
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static void test_forgotten(void **state)
{
	struct stuck stuck = { 0 };
	struct arena arena;
	struct root root;
	char held[] = "held";
	struct job job;
	int self = (int)getpid();

	(void)state;
	arena_init(&arena);
	begin(&job, &root);
	run(&job);
	stuck.crew = job.crew;
	assert_non_null(stuck_note(&stuck, &root, &arena, self, TIMEOUT_NS));
	stuck_hold(&stuck, held, release);
	stuck_forget(&stuck);
	assert_string_equal(stuck_find(&stuck, self), "stuck: no answer in 0.05 s");
	assert_int_equal(released, 0);
	assert_int_equal(write(job.pipe[1], "x", 1), 1);
	assert_true(comes_back(job.crew, job.left));
	stuck_forget(&stuck);
	assert_null(stuck_find(&stuck, self));
	assert_int_equal(released, 1);
	assert_int_equal(stuck.count, 0);
	stuck_fini(&stuck);
	end(&job, &root);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_behind),
		/* the sanitizer does not know of threads that end by the system call alone */
		cmocka_unit_test(sanitized ? test_nothing : test_forgotten),
	};

	return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
