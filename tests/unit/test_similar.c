/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/similar.h"

#include "unit.h"

static const char *nearest(const char *typed)
{
	static const char *const words[] = { "ps",  "cow",	"map",	 "columns",
					     "csv", "swap_pss", "pages", "bytes" };
	struct similar similar = { 0 };

	for (size_t i = 0; i < COUNT(words); i++)
		similar_try(&similar, bytes_of(typed), words[i]);
	return similar.best;
}

static void test_nearest(void **state)
{
	static const struct {
		const char *typed, *word; /* NULL: none */
	} cases[] = {
		{ "pss", "ps" },
		{ "colums", "columns" },
		{ "colmuns", "columns" },
		{ "column", "columns" },
		{ "mpa", "map" },
		{ "bytse", "bytes" },
		{ "pagse", "pages" },
		{ "swapps", "swap_pss" },
		{ "nginx", NULL },
		{ "x", NULL },
		{ "", NULL },
		{ "a-word-that-is-longer-than-any-option-may-be", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *word = nearest(cases[i].typed);

		CHECK(cases[i].typed, !word == !cases[i].word);
		CHECK(cases[i].typed, !word || strcmp(word, cases[i].word) == 0);
	}
}

static void test_advice(void **state)
{
	struct similar similar = { 0 };
	char text[80];

	(void)state;
	assert_string_equal(similar_advice(&similar, "--", text, sizeof(text), "none"), "none");
	similar_try(&similar, BYTES("colums"), "columns");
	assert_int_equal(similar.distance, 1);
	assert_string_equal(similar_advice(&similar, "--", text, sizeof(text), "none"),
			    " (did you mean '--columns'?)");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_advice),
	};

	return cmocka_run_group_tests_name("similar", tests, NULL, NULL);
}
