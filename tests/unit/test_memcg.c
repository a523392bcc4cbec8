/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of memory cgroups, and what a group is charged for. */
#include "unit.h"

#include "analysis/charge.h"
#include "source/memcg.h"

static const char stat_v2[] = "anon 1000\nfile 700\nkernel 90\nkernel_stack 16\npagetables 20\n"
			      "sec_pagetables 1\npercpu 2\nsock 30\nvmalloc 3\nshmem 100\n"
			      "file_mapped 50\nfile_dirty 40\nfile_writeback 8\nswapcached 60\n"
			      "novelty 5\ninactive_file 300\nactive_file 240\nunevictable 9\n"
			      "slab_reclaimable 11\nslab_unreclaimable 12\nslab 23\nzswap 4\n"
			      "no number x\nanon_thp 2 3\n";

static const char stat_v1[] = "cache 10\nrss 20\nshmem 3\ntotal_cache 700\ntotal_rss 1000\n"
			      "total_shmem 100\ntotal_swapcached 60\ntotal_inactive_file 300\n"
			      "total_active_file 240\ntotal_dirty 40\ntotal_writeback 8\n";

static void test_stat(void **state)
{
	struct memcg_stat stat;

	(void)state;
	memcg_stat_parse(MEMCG_V2, BYTES(stat_v2), &stat);
	assert_int_equal(memcg_value(&stat, MEMCG_ANON), 1000);
	assert_int_equal(memcg_value(&stat, MEMCG_SLAB_UNRECLAIMABLE), 12);
	assert_true(memcg_has(&stat, MEMCG_SOCK));
	assert_false(memcg_has(&stat, MEMCG_SWAP));
	/* not a number alone: not known, rather than 2 */
	assert_false(memcg_has(&stat, MEMCG_ANON_THP));
	assert_false(memcg_has(&stat, MEMCG_OWN_FILE));
	memcg_stat_parse(MEMCG_V1, BYTES(stat_v1), &stat);
	assert_int_equal(memcg_value(&stat, MEMCG_FILE), 700);
	assert_int_equal(memcg_value(&stat, MEMCG_OWN_FILE), 10);
	assert_int_equal(memcg_value(&stat, MEMCG_OWN_ANON), 20);
	memcg_stat_parse(MEMCG_V2, BYTES(""), &stat);
	assert_int_equal(stat.have, 0);
}

static const struct pressure_case {
	const char *text, *some_reason;
	double avg10;
	uint64_t total_ns;
} pressure_cases[] = {
	{ "some avg10=12.34 avg60=0.00 avg300=1.00 total=4711\n"
	  "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
	  NULL, 0.1234, 4711000 },
	{ "some avg10=100.00 avg60=0.00 avg300=1.00 total=1", NULL, 1, 1000 },
	{ "some avg10=101.00 avg60=0.00 avg300=1.00 total=1\n", "malformed", 0, 0 },
	{ "some avg10=1 avg60=0.00 total=1\n", "malformed", 0, 0 },
	{ "some avg10=1.00 avg60=0.00 avg300=1.00 total=99999999999999999999\n", "malformed", 0,
	  0 },
	{ "", "unsupported: not in this kernel", 0, 0 },
};

static void test_pressure(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pressure_cases); i++) {
		const struct pressure_case *one = &pressure_cases[i];
		struct memcg_pressure pressure[MEMCG_PRESSURES];

		memcg_pressure_parse(bytes_of(one->text), pressure);
		CHECK(one->text, !pressure[0].reason == !one->some_reason);
		if (one->some_reason)
			assert_string_equal(pressure[0].reason, one->some_reason);
		else
			CHECK(one->text, pressure[0].avg10 > one->avg10 - 1e-9 &&
						 pressure[0].avg10 < one->avg10 + 1e-9 &&
						 pressure[0].total_ns == one->total_ns);
	}
}

static void test_line(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_true(memcg_line(BYTES("low 0\noom_kill 3\noom 2"), "oom", &value));
	assert_int_equal(value, 2);
	assert_false(memcg_line(BYTES("oom_kill 3\noom x\n"), "oom", &value));
	assert_int_equal(value, 2);
}

static void test_paths(void **state)
{
	struct memcg_mount mount = { .version = MEMCG_V1, .top = BYTES("/docker/1") };

	(void)state;
	check_bytes("below", memcg_path_below(&mount, BYTES("/docker/1/x")), BYTES("/x"));
	check_bytes("top", memcg_path_below(&mount, BYTES("/docker/1")), BYTES("/"));
	check_bytes("beside", memcg_path_below(&mount, BYTES("/docker/12")), BYTES(""));
	mount.top = BYTES("/");
	check_bytes("all", memcg_path_below(&mount, BYTES("/a")), BYTES("/a"));
}

static int64_t sum(const struct charges *charges)
{
	int64_t bytes = 0;

	for (unsigned i = 0; i < CHARGE_CLASSES; i++)
		bytes += charges->class[i].reason ? 0 : charges->class[i].bytes;
	return bytes;
}

static void test_charges_v2(void **state)
{
	struct memcg memcg = { .version = MEMCG_V2, .path = BYTES("/a") };
	struct charges charges;

	(void)state;
	memcg_stat_parse(MEMCG_V2, BYTES(stat_v2), &memcg.stat);
	memcg.fact[MEMCG_CURRENT].u = 2000;
	charge_reconcile(&memcg, &charges);
	assert_int_equal(charges.class[CHARGE_FILE].bytes, 700 - 100 - 60);
	assert_int_equal(charges.class[CHARGE_PAGE_TABLES].bytes, 21);
	assert_int_equal(charges.class[CHARGE_KERNEL].bytes, 90 - 16 - 21 - 2 - 3 - 4 - 11 - 12);
	assert_int_equal(charge_kernel(&charges), 90 + 30);
	assert_int_equal(charges.class[CHARGE_UNEXPLAINED].bytes, 2000 - 1000 - 700 - 90 - 30);
	assert_int_equal(sum(&charges), 2000);
	/* counters are read one after the other: more may be explained than there is */
	memcg.fact[MEMCG_CURRENT].u = 1500;
	charge_reconcile(&memcg, &charges);
	assert_int_equal(charges.class[CHARGE_UNEXPLAINED].bytes, -320);
	memcg.fact[MEMCG_CURRENT].reason = "denied";
	charge_reconcile(&memcg, &charges);
	assert_string_equal(charges.class[CHARGE_UNEXPLAINED].reason, "denied");
}

static void test_charges_v1(void **state)
{
	struct memcg memcg = { .version = MEMCG_V1, .path = BYTES("/a") };
	struct charges charges;

	(void)state;
	memcg_stat_parse(MEMCG_V1, BYTES(stat_v1), &memcg.stat);
	memcg.fact[MEMCG_CURRENT].u = 2000;
	memcg.fact[MEMCG_KMEM].u = 200;
	charge_reconcile(&memcg, &charges);
	assert_int_equal(charges.class[CHARGE_KERNEL].bytes, 200);
	assert_non_null(charges.class[CHARGE_SLAB].reason);
	assert_int_equal(charges.class[CHARGE_UNEXPLAINED].bytes, 100);
	assert_int_equal(sum(&charges), 2000);
	/* of the root group the kernel's memory is not in usage */
	memcg.path = BYTES("/");
	charge_reconcile(&memcg, &charges);
	assert_non_null(charges.class[CHARGE_KERNEL].reason);
	assert_int_equal(sum(&charges), 2000);
}

static void test_reclaim(void **state)
{
	struct memcg memcg = { .version = MEMCG_V2 };
	struct charge_reclaim reclaim;

	(void)state;
	memcg_stat_parse(MEMCG_V2, BYTES(stat_v2), &memcg.stat);
	memcg.fact[MEMCG_CURRENT].u = 2000;
	reclaim = charge_reclaim(&memcg);
	assert_int_equal(reclaim.written, 48);
	assert_int_equal(reclaim.now, 540 - 48);
	assert_int_equal(reclaim.working_set, 1700);
	assert_int_equal(reclaim.active_cache, 240);
	assert_int_equal(reclaim.locked, 9);
	assert_int_equal(charge_reserve(4, 4096), 4 * 64 * 4096);
	memcg.fact[MEMCG_CURRENT].u = 100;
	assert_int_equal(charge_reclaim(&memcg).working_set, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),	   cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_line),	   cmocka_unit_test(test_paths),
		cmocka_unit_test(test_charges_v2), cmocka_unit_test(test_charges_v1),
		cmocka_unit_test(test_reclaim),
	};

	return cmocka_run_group_tests_name("memcg", tests, NULL, NULL);
}
