/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binary search: the first that is not below, held against looking at each. */
#include "base/search.h"

#include "unit.h"

static const uint64_t sorted[] = { 1, 3, 3, 3, 7, 9, 9, 20, UINT64_MAX };

static size_t first_from(size_t from, size_t to, uint64_t key)
{
	while (from < to && sorted[from] < key)
		from++;
	return from;
}

static void test_first(void **state)
{
	(void)state;
	for (size_t from = 0; from <= COUNT(sorted); from++)
		for (size_t to = from; to <= COUNT(sorted); to++)
			for (uint64_t key = 0; key < 25; key++)
				assert_int_equal(SEARCH(i, from, to, sorted[i] < key),
						 first_from(from, to, key));
	assert_int_equal(SEARCH(i, 0, COUNT(sorted), sorted[i] < UINT64_MAX), COUNT(sorted) - 1);
	assert_int_equal(SEARCH(i, 0, COUNT(sorted), sorted[i] <= UINT64_MAX), COUNT(sorted));
}

/* No list, and each i is asked for once: log n of them. */
static void test_calls(void **state)
{
	const uint64_t end = 1ull << 40, wanted = 123456789012;
	unsigned calls = 0;

	(void)state;
	assert_true(SEARCH(i, 0, end, (calls++, i < wanted)) == wanted);
	assert_in_range(calls, 40, 41);
	calls = 0;
	assert_true(SEARCH(i, 5, (size_t)5, (calls++, i < 10)) == 5);
	assert_int_equal(calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
