/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/rollup.h"

#include <errno.h>

#include "model/vma.h"
#include "source/meter.h"
#include "unit.h"

#include "tree.h"

#define HEADER(start, end) \
	start "-" end " ---p 00000000 00:00 0                              [rollup]\n"

static const char first[] = HEADER("00400000", "7ffc00000000") "Rss:                1724 kB\n"
							       "Pss:                 133 kB\n"
							       "Private_Dirty:       108 kB\n"
							       "Private_Hugetlb:    2048 kB\n"
							       "Locked:                0 kB\n";
static const char second[] = HEADER("1000", "2000") "Rss:            99999999 kB\n"
						    "Pss:                   7 kB\n"
						    "Private_Dirty:         0 kB\n"
						    "Private_Hugetlb:       0 kB\n"
						    "Locked:               12 kB\n";

struct fixture {
	struct smaps_keys keys;
	struct rollup rollup;
	struct vma vma;
};

static void set_up(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	smaps_keys_init(&fixture->keys);
	rollup_init(&fixture->rollup, &fixture->keys);
}

static int parse(struct fixture *fixture, const char *text)
{
	return rollup_parse(&fixture->rollup, bytes_of(text), &fixture->vma);
}

static void check_field(const struct fixture *fixture, unsigned slot, uint64_t bytes)
{
	assert_true(vma_has(&fixture->vma, slot));
	assert_int_equal(fixture->vma.field[slot], bytes);
}

static void test_learned(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	assert_int_equal(parse(&fixture, first), 0);
	assert_int_equal(fixture.rollup.lines, 5);
	assert_int_equal(fixture.vma.start, 0x400000);
	assert_int_equal(fixture.vma.end, 0x7ffc00000000);
	check_field(&fixture, SMAPS_RSS, 1724 * 1024);
	check_field(&fixture, SMAPS_PSS, 133 * 1024);
	check_field(&fixture, SMAPS_PRIVATE_DIRTY, 108 * 1024);
	check_field(&fixture, SMAPS_PRIVATE_HUGETLB, 2048 * 1024);
	check_field(&fixture, SMAPS_LOCKED, 0);
	assert_int_equal(__builtin_popcountll(fixture.vma.have), 5);
	assert_int_equal(parse(&fixture, second), 0);
	assert_int_equal(fixture.vma.start, 0x1000);
	check_field(&fixture, SMAPS_RSS, 99999999ull * 1024);
	check_field(&fixture, SMAPS_PSS, 7 * 1024);
	check_field(&fixture, SMAPS_PRIVATE_DIRTY, 0);
	check_field(&fixture, SMAPS_LOCKED, 12 * 1024);
	assert_int_equal(__builtin_popcountll(fixture.vma.have), 5);
	rollup_fini(&fixture.rollup);
}

/* Text of another shape after one that was learned: what it has is read all the same. */
static const struct {
	const char *name, *text;
	int rc;
	uint64_t rss, pss;	/* UINT64_MAX: not known */
} shapes[] = {
	{ "a bigger number",
	  HEADER("1000", "2000") "Rss:            123456789 kB\n"
				 "Pss:                   1 kB\n",
	  0, 123456789ull * 1024, 1024 },
	{ "another order",
	  HEADER("1000", "2000") "Pss:                   1 kB\n"
				 "Rss:                   2 kB\n"
				 "Private_Dirty:         0 kB\n"
				 "Private_Hugetlb:       0 kB\n"
				 "Locked:               12 kB\n",
	  0, 2048, 1024 },
	{ "fewer lines", HEADER("1000", "2000") "Rss:                   2 kB\n", 0, 2048,
	  UINT64_MAX },
	{ "no lines", HEADER("1000", "2000"), 0, UINT64_MAX, UINT64_MAX },
	{ "letters for digits",
	  HEADER("1000", "2000") "Rss:                   x kB\n"
				 "Pss:                   1 kB\n"
				 "Private_Dirty:         0 kB\n"
				 "Private_Hugetlb:       0 kB\n"
				 "Locked:               12 kB\n",
	  0, UINT64_MAX, 1024 },
	{ "end before start", HEADER("2000", "1000") "Rss:                   2 kB\n", -EPROTO, 0,
	  0 },
	{ "torn", HEADER("1000", "2000") "Rss:                   2 k", -EPROTO, 0, 0 },
	{ "nothing", "", -EPROTO, 0, 0 },
	{ "no header", "Rss:                   2 kB\n", -EPROTO, 0, 0 },
};

static void test_shapes(void **state)
{
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		set_up(&fixture);
		assert_int_equal(parse(&fixture, first), 0);
		CHECK(shapes[i].name, parse(&fixture, shapes[i].text) == shapes[i].rc);
		if (shapes[i].rc) {
			/* untouched */
			check_field(&fixture, SMAPS_RSS, 1724 * 1024);
			continue;
		}
		CHECK(shapes[i].name,
		      vma_has(&fixture.vma, SMAPS_RSS) == (shapes[i].rss != UINT64_MAX));
		CHECK(shapes[i].name,
		      vma_has(&fixture.vma, SMAPS_PSS) == (shapes[i].pss != UINT64_MAX));
		if (shapes[i].rss != UINT64_MAX)
			CHECK(shapes[i].name, fixture.vma.field[SMAPS_RSS] == shapes[i].rss);
		if (shapes[i].pss != UINT64_MAX)
			CHECK(shapes[i].name, fixture.vma.field[SMAPS_PSS] == shapes[i].pss);
		rollup_fini(&fixture.rollup);
	}
}

static void test_unknown_field(void **state)
{
	struct fixture fixture;
	int slot;

	(void)state;
	set_up(&fixture);
	assert_int_equal(parse(&fixture, HEADER("1000", "2000") "Rss:                   2 kB\n"
								"Novelty:               3 kB\n"),
			 0);
	slot = smaps_keys_find(&fixture.keys, "novelty");
	assert_true(slot >= SMAPS_KNOWN);
	check_field(&fixture, (unsigned)slot, 3072);
	rollup_fini(&fixture.rollup);
}

static void test_read(void **state)
{
	static const struct tree_file files[] = {
		{ "proc/5/smaps_rollup", first },
		{ "proc/6/smaps_rollup", "" },
		{ "proc/7/smaps_rollup.error", "EACCES\n" },
		{ "proc/8/status", "" },
		{ "proc/9/smaps_rollup", "rubbish\n" },
	};
	static const struct {
		int pid, rc;
	} cases[] = { { 5, 0 }, { 6, -ESRCH }, { 7, -EACCES }, { 8, -ENOENT }, { 9, -EPROTO } };
	struct fixture fixture;
	struct tree tree;

	(void)state;
	set_up(&fixture);
	tree_make(&tree, files, COUNT(files));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct procdir dir;

		assert_int_equal(procdir_open(&dir, &tree.root, cases[i].pid, NULL), 0);
		assert_int_equal(rollup_read(&fixture.rollup, &dir, &fixture.vma, NULL),
				 cases[i].rc);
		procdir_close(&dir);
	}
	check_field(&fixture, SMAPS_RSS, 1724 * 1024);
	rollup_fini(&fixture.rollup);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learned),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_unknown_field),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("rollup", tests, NULL, NULL);
}
