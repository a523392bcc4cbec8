/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made of allocation events; and what they are read with: recordings, kallsyms, the budget. */
#include <stdlib.h>

#include "analysis/alloc_study.h"
#include "source/alloc_events.h"
#include "source/kallsyms.h"
#include "source/perf_budget.h"
#include "unit.h"

/* The first address is the caller. */
static uint64_t first(void *ctx, const uint64_t *chain, unsigned count)
{
	(void)ctx;
	return count ? chain[0] : 0;
}

static void add_all(struct alloc_study *study, const char *text, struct alloc_counts *counts,
		    uint64_t *malformed)
{
	const char *at = text, *end = text + strlen(text);
	uint64_t chain[ALLOC_CHAIN_MAX];
	struct alloc_event event;

	while (alloc_text_next(&at, end, &event, chain, counts, malformed))
		alloc_study_add(study, &event);
}

static void test_sums(void **state)
{
	struct alloc_counts counts = { 0 };
	struct alloc_study study;
	struct alloc_sum *sums;
	uint64_t malformed = 0;
	size_t count;

	(void)state;
	alloc_study_init(&study, first, NULL);
	alloc_study_name(&study, 10, BYTES("cc"));
	add_all(&study,
		"# comment\n"
		"pages 1 10 10 0 1 0 aa bb\n"
		"pages 2 10 10 0 1 0 aa\n"
		"pages 3 10 11 3 0 0 bb\n"
		"fork 4 12 12 10\n"
		"pages 5 12 12 0 1 0 aa\n"
		"pages 6 12 12 9 1 1 aa\n"
		"pages 7 20 20 0 2 0\n"
		"name 8 20 20 ld so\n"
		"end ff 6 4 1\n",
		&counts, &malformed);
	alloc_study_end(&study, 100);
	assert_int_equal(malformed, 0);
	assert_int_equal(counts.end, 0xff);
	assert_int_equal(counts.taken, 6);
	assert_int_equal(counts.freed, 4);
	assert_int_equal(counts.lost, 1);
	assert_int_equal(study.total.count, 5);
	assert_int_equal(study.total.pages, 12);
	assert_int_equal(study.total.failed, 1);
	assert_int_equal(study.high.count, 1);
	assert_int_equal(study.high.failed, 1);
	assert_int_equal(study.task_count, 3);
	assert_true(bytes_equal(study.tasks[1].name, BYTES("cc")));
	assert_true(bytes_equal(study.tasks[2].name, BYTES("ld so")));

	sums = alloc_study_group(&study, &study.pages, ALLOC_BY_COMMAND, &count);
	assert_int_equal(count, 2);
	assert_int_equal(study.tasks[sums[0].task].command, study.tasks[0].command);
	assert_int_equal(sums[0].pages, 11);
	assert_int_equal(sums[0].count, 4);
	free(sums);
	sums = alloc_study_group(&study, &study.pages, ALLOC_BY_PROCESS | ALLOC_BY_ORDER, &count);
	assert_int_equal(count, 5);
	assert_int_equal(sums[0].order, 3);
	assert_int_equal(sums[0].pages, 8);
	assert_int_equal(sums[4].failed, 1);
	free(sums);
	sums = alloc_study_group(&study, &study.pages, ALLOC_BY_CALLER, &count);
	assert_int_equal(count, 3);
	assert_int_equal(study.callers[sums[0].caller], 0xbb);
	assert_int_equal(study.callers[sums[1].caller], 0xaa);
	assert_int_equal(sums[1].count, 3);
	free(sums);
	alloc_study_fini(&study);
}

static void test_fallbacks(void **state)
{
	struct alloc_counts counts = { 0 };
	struct alloc_study study;
	struct alloc_sum *sums;
	uint64_t malformed = 0;
	size_t count;

	(void)state;
	alloc_study_init(&study, first, NULL);
	add_all(&study,
		"fallback 1 10 10 0 0 a 1 1 aa\n"
		"fallback 2 10 10 0 0 a 1 1 aa\n"
		"fallback 3 10 10 0 0 4 1 0 aa\n"
		"fallback 4 10 10 2 2 4 1 0 aa\n",
		&counts, &malformed);
	alloc_study_end(&study, 5);
	assert_int_equal(study.total_fallback.count, 4);
	assert_int_equal(study.total_fallback.taken, 2);
	assert_int_equal(study.total_fallback.pages, 7);
	assert_int_equal(study.total.count, 0);
	sums = alloc_study_group(&study, &study.fallbacks, ALLOC_BY_FREE, &count);
	assert_int_equal(count, 2);
	assert_int_equal(sums[0].from_order, 4);
	assert_int_equal(sums[0].count, 2);
	assert_int_equal(sums[1].from_order, 10);
	assert_int_equal(sums[1].taken, 2);
	free(sums);
	alloc_study_fini(&study);
}

/* An end alone tells nothing; a beginning alone lasts until the end; threads do not mix. */
static void test_waits(void **state)
{
	struct alloc_counts counts = { 0 };
	struct alloc_study study;
	uint64_t malformed = 0;

	(void)state;
	alloc_study_init(&study, first, NULL);
	add_all(&study,
		"compact-end 5 10 10\n"
		"compact-begin 10 10 10\n"
		"compact-begin 14 10 11\n"
		"compact-end 18 10 10\n"
		"compact-end 20 10 11\n"
		"reclaim-begin 30 20 20\n"
		"reclaim-end 35 20 20 40\n"
		"reclaim-end 36 20 20 40\n"
		"reclaim-begin 40 20 20\n",
		&counts, &malformed);
	alloc_study_end(&study, 0x50);
	assert_int_equal(malformed, 0);
	assert_int_equal(study.waits.compactions, 2);
	assert_int_equal(study.waits.compact_ns, 8 + 12);
	assert_int_equal(study.waits.reclaims, 2);
	assert_int_equal(study.waits.reclaim_ns, 5 + 16);
	assert_int_equal(study.waits.reclaimed, 0x40);
	assert_int_equal(study.tasks[0].waits.compact_ns, 20);
	assert_int_equal(study.tasks[1].waits.reclaim_ns, 21);
	alloc_study_fini(&study);
}

static void test_malformed(void **state)
{
	static const char *const lines[] = {
		"pages",
		"pages 1 2 3 4",
		"pages 1 2 3 0 0 2",
		"pages x 2 3 0 0 0",
		"pages 1 2 3 40 0 0",
		"fallback 1 2 3 0 0 a 1",
		"fork 1 2 3",
		"reclaim-end 1 2 3",
		"compact-begin 1 4294967295 3",
		"end 1 2 3",
		"novelty 1 2 3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct alloc_counts counts = { .taken = 77 };
		struct alloc_study study;
		uint64_t malformed = 0;

		alloc_study_init(&study, first, NULL);
		add_all(&study, lines[i], &counts, &malformed);
		assert_int_equal(malformed, 1);
		assert_int_equal(counts.taken, 77);
		assert_int_equal(study.total.count, 0);
		alloc_study_fini(&study);
	}
}

static void test_allocators(void **state)
{
	static const char *const inside[] = {
		"__alloc_frozen_pages_noprof",
		"__alloc_pages",
		"alloc_pages_mpol",
		"vma_alloc_folio_noprof",
		"folio_alloc",
		"folio_alloc_noprof",
		"___slab_alloc",
		"kmem_cache_alloc_lru_noprof",
		"__kmalloc_noprof",
		"get_page_from_freelist",
		"perf_trace_mm_page_alloc",
		"__traceiter_mm_page_alloc",
		"new_slab",
	};
	static const char *const outside[] = {
		"do_anonymous_page", "pte_alloc_one", "anon_pipe_write", "folio_alloc_buffers",
		"new_slab_cache",    "alloc_inode",   "__alloc_skb",	 "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		assert_true(alloc_is_allocator(bytes_of(inside[i])));
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_false(alloc_is_allocator(bytes_of(outside[i])));
}

static void test_kallsyms(void **state)
{
	struct kallsyms kallsyms;

	(void)state;
	kallsyms_parse(BYTES("ffffffff81000100 t second\n"
			     "ffffffff81000000 T first\n"
			     "ffffffff81000180 d data\n"
			     "garbage\n"
			     "ffffffffc0000000 t in_module\t[module]\n"),
		       &kallsyms);
	assert_null(kallsyms.reason);
	assert_int_equal(kallsyms.count, 3);
	assert_null(kallsyms_at(&kallsyms, 0xffffffff80ffffff));
	assert_true(bytes_equal(kallsyms_at(&kallsyms, 0xffffffff81000000)->name, BYTES("first")));
	assert_true(bytes_equal(kallsyms_at(&kallsyms, 0xffffffff810000ff)->name, BYTES("first")));
	assert_true(bytes_equal(kallsyms_at(&kallsyms, 0xffffffff810001ff)->name, BYTES("second")));
	assert_true(
		bytes_equal(kallsyms_at(&kallsyms, 0xffffffffc0000001)->name, BYTES("in_module")));
	kallsyms_fini(&kallsyms);

	/* hidden from those who may not see them */
	kallsyms_parse(BYTES("0000000000000000 T first\n0000000000000000 t second\n"), &kallsyms);
	assert_non_null(kallsyms.reason);
	assert_null(kallsyms_at(&kallsyms, 1));
	kallsyms_fini(&kallsyms);
}

/* As many records as are allowed a second, whatever the rate; a period that the user chose stays. */
static void test_budget(void **state)
{
	const uint64_t second = 1000000000;
	struct perf_budget budget;

	(void)state;
	perf_budget_init(&budget, 0, 0);
	assert_int_equal(budget.period, 1);
	budget.records = 3900; /* 19,500 a second */
	assert_false(perf_budget_adapt(&budget, second / 5));
	assert_int_equal(budget.records, 0);
	budget.records = 7999;
	assert_false(perf_budget_adapt(&budget, second / 5 + second / 100));
	budget.records = 8000; /* within 20 ms: 400,000 a second */
	assert_true(perf_budget_adapt(&budget, second / 5 + second / 50));
	assert_int_equal(budget.period, 21);
	budget.records = 3900; /* in the next window as many as are allowed */
	assert_false(perf_budget_adapt(&budget, 2 * second / 5 + second / 50));
	budget.records = 100;
	assert_true(perf_budget_adapt(&budget, second));
	assert_int_equal(budget.period, 1);
	assert_int_equal(budget.longest, 21);

	perf_budget_init(&budget, 3, 0);
	budget.records = 1000000;
	assert_false(perf_budget_adapt(&budget, second));
	assert_int_equal(budget.period, 3);
}

/* A storm has to last; then events are on for a tenth of the time, and more are recorded of those. */
static void test_storm(void **state)
{
	const uint64_t second = 1000000000;
	struct perf_budget budget;
	uint64_t now = second;

	(void)state;
	perf_budget_init(&budget, 0, now);
	for (unsigned i = 0; i < 2; i++) { /* 400,000 a second */
		budget.records = 80000 / budget.period;
		now += second / 5;
		perf_budget_adapt(&budget, now);
		assert_int_equal(budget.part, 1);
		assert_int_equal(budget.period, 21);
	}
	budget.records = 80000 / budget.period;
	now += second / 5;
	assert_true(perf_budget_adapt(&budget, now));
	assert_int_equal(budget.part, PERF_STORM_PART);
	assert_int_equal(budget.period, 2);
	budget.records = 1100 / budget.period; /* in a tenth of the time: 55,000 a second */
	now += second / 5;
	perf_budget_adapt(&budget, now);
	assert_int_equal(budget.part, PERF_STORM_PART);
	budget.records = 500;
	now += second / 5;
	assert_true(perf_budget_adapt(&budget, now));
	assert_int_equal(budget.part, 1);

	perf_budget_init(&budget, 0, now);
	budget.always_on = true;
	for (unsigned i = 0; i < 10; i++) {
		budget.records = 80000 / budget.period;
		now += second / 5;
		perf_budget_adapt(&budget, now);
		assert_int_equal(budget.part, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),	   cmocka_unit_test(test_fallbacks),
		cmocka_unit_test(test_waits),	   cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_allocators), cmocka_unit_test(test_kallsyms),
		cmocka_unit_test(test_budget),	   cmocka_unit_test(test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
