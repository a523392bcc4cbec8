/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/groups.h"

#include <stdio.h>

#include "unit.h"

static void add(struct map_groups *groups, const char *path, uint64_t pages)
{
	struct vma vma = { .start = 0x1000, .path = bytes_of(path) };

	vma.end = vma.start + pages * 4096;
	vma.have = 1ull << SMAPS_RSS;
	vma.field[SMAPS_RSS] = pages * 1024;
	map_groups_add(groups, bytes_of(path), &vma);
}

static void test_sums(void **state)
{
	struct map_groups groups;

	(void)state;
	map_groups_init(&groups, 4096);
	add(&groups, "[anon:small]", 1);
	add(&groups, "[anon:big]", 5);
	add(&groups, "[anon_shmem:small]", 2);
	add(&groups, "[anon:small]", 3);
	map_groups_sort(&groups);
	assert_int_equal(groups.count, 3);
	assert_string_equal(groups.list[0].tally.name, "[anon:big]");
	assert_int_equal(groups.list[0].tally.sum.end, 5 * 4096);
	assert_string_equal(groups.list[1].tally.name, "[anon:small]");
	assert_int_equal(groups.list[1].tally.mappings, 2);
	assert_int_equal(groups.list[1].tally.sum.end, 4 * 4096);
	assert_int_equal(groups.list[1].tally.sum.field[SMAPS_RSS], 4 * 1024);
	assert_string_equal(groups.list[2].tally.name, "[anon_shmem:small]");
	map_groups_fini(&groups);
}

/* As many names as mappings: those behind the most that is kept are one. */
static void test_many(void **state)
{
	struct map_groups groups;
	char path[32];

	(void)state;
	map_groups_init(&groups, 4096);
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < 10000; i++) {
			snprintf(path, sizeof(path), "[anon:%d]", i);
			add(&groups, path, 1);
		}
	map_groups_sort(&groups);
	assert_int_equal(groups.count, 4097);
	assert_string_equal(groups.list[0].tally.name, "(others)");
	assert_int_equal(groups.list[0].tally.mappings, 2 * (10000 - 4096));
	for (size_t i = 1; i < groups.count; i++)
		assert_int_equal(groups.list[i].tally.mappings, 2);
	map_groups_fini(&groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("map_groups", tests, NULL, NULL);
}
