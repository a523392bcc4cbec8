/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/reconcile.h"

#include "analysis/frame_sums.h"
#include "base/arena.h"
#include "model/page.h"
#include "source/meminfo.h"
#include "unit.h"

#include "tree.h"

#define F(name) PAGE_FLAG(name)
#define ANON_PAGE (F(UPTODATE) | F(LRU) | F(MMAP) | F(ANON) | F(SWAPBACKED))

static const char text[] = "MemTotal:        1000 kB\n"
			   "MemFree:          396 kB\n"
			   "Buffers:           40 kB\n"
			   "Cached:           160 kB\n"
			   "AnonPages:        204 kB\n"
			   "Slab:              80 kB\n"
			   "SReclaimable:      40 kB\n"
			   "SUnreclaim:        40 kB\n"
			   "VmallocUsed:       12 kB\n"
			   "Percpu:             8 kB\n"
			   "AnonHugePages:   2048 kB\n"
			   "HugePages_Total:   3\n"
			   "CommitLimit:     9999 kB\n"
			   "Novelty:            1 kB\n";

static void test_parse(void **state)
{
	static const char odd[] =
		"A: 1 kB\nB:2\n: 3\nC 4\nD:\nE: x\nF: 5 MB\nG: -1 kB\n"
		"H: 18446744073709551615 kB\nI: 9223372036854775807\n\nJ:    7 kB";
	struct meminfo meminfo;
	struct arena arena;
	uint64_t value = 0;

	(void)state;
	arena_init(&arena);
	meminfo_parse(bytes_of(odd), &arena, &meminfo);
	assert_int_equal(meminfo.count, 4);
	check_bytes("first", meminfo.lines[0].key, BYTES("A"));
	assert_int_equal(meminfo.lines[0].value, 1024);
	assert_true(meminfo.lines[0].kb);
	check_bytes("second", meminfo.lines[1].key, BYTES("B"));
	assert_int_equal(meminfo.lines[1].value, 2);
	assert_false(meminfo.lines[1].kb);
	check_bytes("third", meminfo.lines[2].key, BYTES("I"));
	check_bytes("last", meminfo.lines[3].key, BYTES("J"));
	assert_int_equal(meminfo.lines[3].value, 7168);
	assert_true(meminfo_find(&meminfo, "J", &value));
	assert_int_equal(value, 7168);
	assert_false(meminfo_find(&meminfo, "B", &value));
	assert_false(meminfo_find(&meminfo, "K", &value));
	meminfo_parse(BYTES(""), &arena, &meminfo);
	assert_int_equal(meminfo.count, 0);
	arena_fini(&arena);
}

struct fixture {
	struct arena arena;
	struct frame_sums sums;
	struct reconcile_input input;
	struct reconcile_row rows[32];
};

/* 100 free, 50 anonymous, 50 of page cache, 20 of slab, 10 kernel, 30 reserved, 9 holes. */
static void set_up(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	arena_init(&fixture->arena);
	frame_sums_add(&fixture->sums, F(BUDDY), 100, false);
	frame_sums_add(&fixture->sums, ANON_PAGE, 50, false);
	frame_sums_add(&fixture->sums, F(LRU) | F(UPTODATE), 30, false);
	frame_sums_add(&fixture->sums, F(LRU) | F(SWAPBACKED), 20, false);
	frame_sums_add(&fixture->sums, F(SLAB), 20, false);
	frame_sums_add(&fixture->sums, 0, 10, false);
	frame_sums_add(&fixture->sums, F(RESERVED), 30, false);
	frame_sums_add_class(&fixture->sums, FRAME_HOLE, 9);
	fixture->input = (struct reconcile_input){
		.sums = &fixture->sums,
		.page_size = 4096,
		.anon_huge = 2 << 20,
		.processor_lists = 3 * 4096,
	};
	meminfo_parse(bytes_of(text), &fixture->arena, &fixture->input.after);
}

static const struct reconcile_row *row_of(const struct fixture *fixture, const char *key)
{
	for (size_t i = 0; i < fixture->input.after.count; i++)
		if (bytes_equal(fixture->rows[i].key, bytes_of(key)))
			return &fixture->rows[i];
	fail_msg("no row %s", key);
	return NULL;
}

static const struct {
	const char *key;
	bool counted, apart;
	int64_t frames_kb, difference_kb;
} want[] = {
	{ "MemTotal", true, false, 920, -80 },
	{ "MemFree", true, false, 400, 4 },
	{ "Buffers", false, false, 0, 0 },
	{ "Cached", true, false, 160, 0 },	/* 50 frames less Buffers */
	{ "AnonPages", true, false, 200, -4 },
	{ "Slab", true, false, 80, 0 },
	{ "SReclaimable", false, false, 0, 0 },
	{ "SUnreclaim", true, false, 40, 0 },
	{ "VmallocUsed", false, false, 0, 0 },
	{ "AnonHugePages", true, false, 2048, 0 },
	{ "HugePages_Total", false, false, 0, 0 },
	{ "CommitLimit", false, true, 0, 0 },
	{ "Novelty", false, false, 0, 0 },
};

static void test_rows(void **state)
{
	struct fixture fixture;
	struct reconcile_kernel kernel;

	(void)state;
	set_up(&fixture);
	reconcile(&fixture.input, fixture.rows);
	for (size_t i = 0; i < COUNT(want); i++) {
		const struct reconcile_row *row = row_of(&fixture, want[i].key);

		CHECK(want[i].key, row->counted == want[i].counted);
		CHECK(want[i].key, row->apart == want[i].apart);
		CHECK(want[i].key, row->counted || row->why_not);
		CHECK(want[i].key, (int64_t)row->frames == want[i].frames_kb * 1024);
		CHECK(want[i].key, row->difference == want[i].difference_kb * 1024);
		CHECK(want[i].key, row->moved == 0);
	}
	/* each difference has its reason, and that of the other sign is none */
	assert_non_null(strstr(row_of(&fixture, "MemTotal")->note, "of different moments"));
	assert_non_null(strstr(row_of(&fixture, "AnonPages")->note, "of different moments"));
	fixture.input.after.lines[0].value = 900 * 1024;
	reconcile(&fixture.input, fixture.rows);
	assert_int_equal(row_of(&fixture, "MemTotal")->difference, 20 * 1024);
	assert_non_null(strstr(row_of(&fixture, "MemTotal")->note, "kept at boot"));
	reconcile_kernel(&fixture.input, &kernel);
	assert_int_equal(kernel.unflagged, 40960);
	assert_int_equal(kernel.vmalloc, 12 * 1024);
	assert_int_equal(kernel.per_cpu, 8 * 1024);
	assert_int_equal(kernel.processor_lists, 12288);
	arena_fini(&fixture.arena);
}

/* What changed while frames were read; a line that was not there before has not. */
static void test_moved(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	meminfo_parse(BYTES("MemFree: 400 kB\nCached: 100 kB\n"), &fixture.arena,
		      &fixture.input.before);
	reconcile(&fixture.input, fixture.rows);
	assert_int_equal(row_of(&fixture, "MemFree")->moved, -4096);
	assert_int_equal(row_of(&fixture, "Cached")->moved, 61440);
	assert_int_equal(row_of(&fixture, "Slab")->moved, 0);
	arena_fini(&fixture.arena);
}

/* Memory that no zone manages yet, in MemTotal and MemFree all the same. */
static void test_unmanaged(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	fixture.input.managed = 700 * 1024; /* of 1000 kB */
	reconcile(&fixture.input, fixture.rows);
	assert_int_equal(reconcile_unmanaged(&fixture.input), 0); /* no such frames */
	assert_int_equal(row_of(&fixture, "MemTotal")->frames, 920 * 1024);
	frame_sums_add_class(&fixture.sums, FRAME_UNINITIALISED, 80);
	reconcile(&fixture.input, fixture.rows);
	assert_int_equal(reconcile_unmanaged(&fixture.input), 300 * 1024);
	assert_int_equal(row_of(&fixture, "MemTotal")->frames, (920 + 300) * 1024);
	assert_int_equal(row_of(&fixture, "MemFree")->difference, (4 + 300) * 1024);
	assert_true(row_of(&fixture, "MemFree")->adjusted);
	assert_non_null(strstr(row_of(&fixture, "MemFree")->note, "uninitialised"));
	assert_false(row_of(&fixture, "Cached")->adjusted);
	fixture.input.managed = 0;
	assert_int_equal(reconcile_unmanaged(&fixture.input), 0);
	arena_fini(&fixture.arena);
}

static void test_denied(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	fixture.input.sums = NULL;
	fixture.input.reason = "denied";
	reconcile(&fixture.input, fixture.rows);
	assert_false(row_of(&fixture, "MemFree")->counted);
	assert_string_equal(row_of(&fixture, "MemFree")->why_not, "denied");
	assert_int_equal(row_of(&fixture, "MemFree")->meminfo, 396 * 1024);
	arena_fini(&fixture.arena);
}

static void test_pools(void **state)
{
	static const struct tree_file files[] = {
		{ "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "1\n" },
		{ "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n" },
		{ "sys/kernel/mm/hugepages/hugepages-1048576kB/resv_hugepages", "0\n" },
		{ "sys/kernel/mm/hugepages/hugepages-1048576kB/surplus_hugepages", "0\n" },
		{ "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "6\n" },
		{ "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "3\n" },
		{ "sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages", "1\n" },
		{ "sys/kernel/mm/hugepages/hugepages-2048kB/surplus_hugepages", "2\n" },
		{ "sys/kernel/mm/hugepages/hugepages-64kB/nr_hugepages", "not a number\n" },
		{ "sys/kernel/mm/hugepages/hugepages-kB/nr_hugepages", "1\n" },
	};
	struct hugetlb_pool *pools;
	struct arena arena;
	struct tree tree;

	(void)state;
	arena_init(&arena);
	tree_make(&tree, files, COUNT(files));
	assert_int_equal(hugetlb_pools_read(&tree.root, &arena, &pools), 2);
	assert_int_equal(pools[0].size, 2 << 20);
	assert_int_equal(pools[0].total, 6);
	assert_int_equal(pools[0].free, 3);
	assert_int_equal(pools[0].reserved, 1);
	assert_int_equal(pools[0].surplus, 2);
	assert_int_equal(pools[1].size, 1 << 30);
	assert_int_equal(pools[1].total, 1);
	tree_remove(&tree);
	tree_make(&tree, NULL, 0);
	assert_int_equal(hugetlb_pools_read(&tree.root, &arena, &pools), 0);
	tree_remove(&tree);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	  cmocka_unit_test(test_rows),
		cmocka_unit_test(test_moved),	  cmocka_unit_test(test_denied),
		cmocka_unit_test(test_unmanaged), cmocka_unit_test(test_pools),
	};

	return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
