/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/names.h"

#include <stdio.h>

#include "unit.h"

static void add(struct map_names *names, const char *path, uint64_t pages)
{
	struct vma vma = { .start = 0x1000, .path = bytes_of(path) };

	vma.end = vma.start + pages * 4096;
	vma.have = 1ull << SMAPS_RSS;
	vma.field[SMAPS_RSS] = pages * 1024;
	map_names_add(names, &vma);
}

static void test_sums(void **state)
{
	struct map_names names;

	(void)state;
	map_names_init(&names);
	add(&names, "[anon:small]", 1);
	add(&names, "[anon:big]", 5);
	add(&names, "[heap]", 100);
	add(&names, "/lib/[anon:file]", 100);
	add(&names, "", 100);
	add(&names, "[anon_shmem:small]", 2);
	add(&names, "[anon:small]", 3);
	map_names_sort(&names);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.list[0].name, "[anon:big]");
	assert_int_equal(names.list[0].sum.end, 5 * 4096);
	assert_string_equal(names.list[1].name, "[anon:small]");
	assert_int_equal(names.list[1].mappings, 2);
	assert_int_equal(names.list[1].sum.end, 4 * 4096);
	assert_int_equal(names.list[1].sum.field[SMAPS_RSS], 4 * 1024);
	assert_string_equal(names.list[2].name, "[anon_shmem:small]");
	map_names_fini(&names);
}

/* As many names as mappings: those behind the most that is kept are one. */
static void test_many(void **state)
{
	struct map_names names;
	char path[32];

	(void)state;
	map_names_init(&names);
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < 10000; i++) {
			snprintf(path, sizeof(path), "[anon:%d]", i);
			add(&names, path, 1);
		}
	map_names_sort(&names);
	assert_int_equal(names.count, 4097);
	assert_string_equal(names.list[0].name, "(other names)");
	assert_int_equal(names.list[0].mappings, 2 * (10000 - 4096));
	for (size_t i = 1; i < names.count; i++)
		assert_int_equal(names.list[i].mappings, 2);
	map_names_fini(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("map_names", tests, NULL, NULL);
}
