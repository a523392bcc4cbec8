/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page.h"

#include "unit.h"

/* Words as a 6.18 kernel shows them, and what they are. */
static const struct state_case {
	const char *name;
	uint64_t word;
	enum page_state state;
	uint64_t step;
} state_cases[] = {
	{ "nothing", 0, PAGE_EMPTY, 0 },
	{ "soft-dirty alone", PAGEMAP_SOFT_DIRTY, PAGE_EMPTY, 0 },
	{ "present, frame hidden", 0x8100000000000000, PAGE_PRESENT, 0 },
	{ "present", 0x8180000000012345, PAGE_PRESENT, 1 },
	{ "file", 0xa100000000012345, PAGE_PRESENT, 1 },
	{ "guard", 0x440000000000009f, PAGE_GUARD, 0 },
	{ "guard, hidden", 0x4400000000000000, PAGE_GUARD, 0 },
	{ "guard before bit 58", 0x400000000000009f, PAGE_GUARD, 0 },
	{ "uffd-wp marker", 0x420000000000003f, PAGE_MARKER, 0 },
	{ "poison marker", 0x400000000000005f, PAGE_MARKER, 0 },
	{ "swap", 0x4000000000000020, PAGE_SWAPPED, 32 },
	{ "swap type 23", 0x4000000000000037, PAGE_SWAPPED, 32 },
	{ "swap, write-protected", 0x4200000000000020, PAGE_SWAPPED, 32 },
	{ "swap, hidden", 0x4000000000000000, PAGE_SWAPPED, 0 },
	{ "hwpoison, device or migration", 0x4000000000000038, PAGE_MIGRATION, 32 },
	{ "migration", 0x40000000002468bd, PAGE_MIGRATION, 32 },
};

static void test_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(state_cases); i++) {
		const struct state_case *c = &state_cases[i];

		CHECK(c->name, page_state(c->word) == c->state);
		CHECK(c->name, pagemap_step(c->word) == c->step);
	}
	assert_int_equal(pagemap_pfn(0x8180000000012345), 0x12345);
	assert_int_equal(pagemap_swap_type(0x4000000000000037), 23);
	assert_int_equal(pagemap_swap_offset(0x4000000000000037), 1);
	assert_int_equal(pagemap_swap_offset(0x407fffffffffffe0), 0x3ffffffffffff);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < PAGE_STATE_COUNT; i++) {
		assert_non_null(page_state_names[i]);
		assert_non_null(page_state_help[i]);
	}
	/* every bit has a name, and no two the same */
	for (int i = 0; i < PAGE_FLAG_COUNT; i++) {
		assert_non_null(page_flag_names[i].code);
		assert_non_null(page_flag_names[i].meaning);
		assert_int_equal(page_flag_find(bytes_of(page_flag_names[i].code)), i);
	}
	assert_string_equal(page_flag_names[PAGE_FLAG_IDLE].code, "idle_page");
	assert_string_equal(page_flag_names[33].code, "mlocked");
	assert_string_equal(page_flag_names[41].code, "arch_2");
}

static void test_find(void **state)
{
	(void)state;
	assert_int_equal(page_flag_find(BYTES("anon")), PAGE_FLAG_ANON);
	assert_int_equal(page_flag_find(BYTES("private")), PAGE_FLAG_PRIVATE);
	assert_int_equal(page_flag_find(BYTES("arch")), PAGE_FLAG_ARCH);
	assert_int_equal(page_flag_find(BYTES("zero")), PAGE_FLAG_ZERO);
	assert_int_equal(page_flag_find(BYTES("swap")), PAGE_FLAG_SWAPCACHE);
	assert_int_equal(page_flag_find(BYTES("")), -1);
	assert_int_equal(page_flag_find(BYTES("anonymousx")), -1);
	assert_int_equal(page_flag_find(BYTES("bit5")), 50);
	assert_int_equal(page_flag_find(BYTES("bit63")), 63);
}

static void test_clean(void **state)
{
	(void)state;
	assert_int_equal(page_flags_clean(PAGE_FLAG(SLAB) | PAGE_FLAG(ANON) | PAGE_FLAG(KSM) |
					  PAGE_FLAG(HEAD)),
			 PAGE_FLAG(SLAB) | PAGE_FLAG(HEAD));
	assert_int_equal(page_flags_clean(PAGE_FLAG(ANON) | PAGE_FLAG(KSM)),
			 PAGE_FLAG(ANON) | PAGE_FLAG(KSM));
	assert_true(page_flags_compound(PAGE_FLAG(TAIL)));
	assert_false(page_flags_compound(PAGE_FLAG(THP)));
}

static void test_span(void **state)
{
	const uint64_t words[] = { 0x8000000000000010, 0, 0x4000000000000020 };
	struct page_span read = { .pages = 3, .words = words };
	struct page_span huge = { .pages = 512, .word = 0x8100000000000200 };
	struct page_span swap = { .pages = 512, .word = 0x4000000000000020 };

	(void)state;
	assert_int_equal(page_span_word(&read, 2), words[2]);
	assert_int_equal(page_span_word(&huge, 511), 0x81000000000003ff);
	assert_int_equal(pagemap_swap_offset(page_span_word(&swap, 3)), 4);
	assert_int_equal(page_span_state(&read, 0, 0), PAGE_PRESENT);
	assert_int_equal(page_span_state(&read, 0, 0x10), PAGE_ZERO);
	assert_int_equal(page_span_state(&read, 1, 0x10), PAGE_EMPTY);
	read.zero = true;
	assert_int_equal(page_span_state(&read, 0, 0), PAGE_ZERO);
	/* changed since the scan that said zero page */
	assert_int_equal(page_span_state(&read, 2, 0), PAGE_SWAPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states), cmocka_unit_test(test_names),
		cmocka_unit_test(test_find),   cmocka_unit_test(test_clean),
		cmocka_unit_test(test_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
