/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/list.h"

#include "unit.h"

static size_t compared;

static int compare(const void *one, const void *other)
{
	const int *a = one, *b = other;

	compared++;
	return *a < *b ? -1 : *a > *b;
}

static void test_sort(void **state)
{
	static const struct {
		const char *name;
		int list[6], sorted[6];
		size_t count, pass; /* pass: comparisons, where it is in order; else 0 */
	} cases[] = {
		{ "none", { 0 }, { 0 }, 0, 0 },
		{ "one", { 3 }, { 3 }, 1, 0 },
		{ "in order", { 1, 2, 2, 5, 9, 9 }, { 1, 2, 2, 5, 9, 9 }, 6, 5 },
		{ "backward", { 6, 5, 4, 3, 2, 1 }, { 1, 2, 3, 4, 5, 6 }, 6, 0 },
		{ "the last", { 1, 2, 3, 4, 5, 0 }, { 0, 1, 2, 3, 4, 5 }, 6, 0 },
		{ "the first", { 7, 1, 2, 3, 4, 5 }, { 1, 2, 3, 4, 5, 7 }, 6, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int list[6];

		memcpy(list, cases[i].list, sizeof(list));
		compared = 0;
		list_sort(list, cases[i].count, sizeof(list[0]), compare);
		CHECK(cases[i].name, memcmp(list, cases[i].sorted, sizeof(list)) == 0);
		CHECK(cases[i].name, !cases[i].pass || compared == cases[i].pass);
	}
	list_sort(NULL, 0, 4, compare);
}

static void test_numbers(void **state)
{
	enum { MANY = 5000 };
	uint64_t list[MANY], number = 1;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		number = number * 6364136223846793005u + 1442695040888963407u;
		list[i] = i % 3 ? number : number >> 40;
	}
	list[7] = UINT64_MAX;
	list[8] = 0;
	for (size_t from = 0; from < 3; from++) {
		list_sort_u64(list + from * 1000, 1000);
		for (size_t i = 1; i < 1000; i++)
			assert_true(list[from * 1000 + i - 1] <= list[from * 1000 + i]);
	}
	assert_int_equal(list[0], 0);
	assert_true(list[999] == UINT64_MAX);
	list_sort_u64(list, MANY);
	for (size_t i = 1; i < MANY; i++)
		assert_true(list[i - 1] <= list[i]);
	list_sort_u64(NULL, 0);
	list_sort_u64(list, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
