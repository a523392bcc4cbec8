/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/paging.h"

#include "unit.h"

/* Levels touch: the index of one ends where that of the level above begins. Returns the last end. */
static unsigned check_levels(const struct paging_mode *mode)
{
	unsigned end = 0;

	for (unsigned k = mode->level_count; k-- > 0;) {
		const struct paging_level *level = &mode->levels[k];

		if (k + 1 < mode->level_count)
			assert_int_equal(level->shift, end);
		else
			assert_int_equal(1u << level->shift, mode->page_size);
		end = level->shift + level->bits;
	}
	return end;
}

static void test_levels_touch(void **state)
{
	(void)state;
	assert_true(paging_mode_count >= 12);
	for (size_t i = 0; i < paging_mode_count; i++) {
		const struct paging_mode *mode = &paging_modes[i];
		/* x86 gives the upper half of the top table to the kernel, arm64 has one for each */
		unsigned half = strcmp(mode->machine, "x86_64") == 0;

		assert_int_equal(check_levels(mode), mode->user_bits + half);
		assert_string_equal(mode->levels[0].name, "PGD");
		assert_string_equal(mode->levels[mode->level_count - 1].name, "PTE");
		assert_ptr_equal(paging_find(mode->machine, mode->page_size, mode->user_bits),
				 mode);
	}
}

static const struct index_case {
	const char *machine;
	uint32_t page_size;
	unsigned user_bits;
	uint64_t addr;
	uint64_t index[PAGING_LEVELS_MAX], offset;
} index_cases[] = {
	{ "x86_64", 4096, 47, 0x7fffffffefff, { 255, 511, 511, 510 }, 0xfff },
	{ "x86_64", 4096, 47, 0x555555554123, { 170, 341, 170, 340 }, 0x123 },
	{ "x86_64", 4096, 56, 0x555555554123, { 0, 170, 341, 170, 340 }, 0x123 },
	{ "x86_64", 4096, 56, 0x8a555555554123, { 138, 170, 341, 170, 340 }, 0x123 },
	{ "aarch64", 4096, 39, 0x7fffffffff, { 511, 511, 511 }, 0xfff },
	{ "aarch64", 4096, 48, 0xaaaad5550abc, { 341, 171, 170, 336 }, 0xabc },
	{ "aarch64", 4096, 52, 0xfaaaad5550abc, { 15, 341, 171, 170, 336 }, 0xabc },
	{ "aarch64", 16384, 47, 0x400002004001, { 1024, 1, 1 }, 1 },
	{ "aarch64", 16384, 48, 0xc00002004001, { 1, 1024, 1, 1 }, 1 },
	{ "aarch64", 65536, 48, 0xffffe0010005, { 63, 8191, 1 }, 5 },
	{ "aarch64", 65536, 52, 0xfffffe0010005, { 1023, 8191, 1 }, 5 },
	{ "aarch64", 65536, 42, 0x3ffe0010005, { 8191, 1 }, 5 },
};

static void check_indices(const struct index_case *c, const struct paging_mode *mode)
{
	uint64_t sum = c->addr & (mode->page_size - 1);

	assert_int_equal(sum, c->offset);
	for (unsigned k = 0; k < mode->level_count; k++) {
		uint64_t index = paging_index(&mode->levels[k], c->addr);

		assert_int_equal(index, c->index[k]);
		sum += index << mode->levels[k].shift;
	}
	/* nothing of the address is lost */
	assert_int_equal(sum, c->addr);
}

static void test_indices(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(index_cases); i++) {
		const struct index_case *c = &index_cases[i];
		const struct paging_mode *mode =
			paging_find(c->machine, c->page_size, c->user_bits);

		assert_non_null(mode);
		check_indices(c, mode);
	}
}

static void test_leaves(void **state)
{
	const struct paging_mode *x86 = paging_find("x86_64", 4096, 47);
	const struct paging_mode *arm = paging_find("aarch64", 65536, 48);

	(void)state;
	assert_string_equal(paging_leaf_of_size(x86, 4096)->name, "PTE");
	assert_string_equal(paging_leaf_of_size(x86, 2 << 20)->name, "PMD");
	assert_string_equal(paging_leaf_of_size(x86, 1 << 30)->name, "PUD");
	assert_null(paging_leaf_of_size(x86, 1ull << 39));
	assert_null(paging_leaf_of_size(x86, 65536));
	assert_string_equal(paging_leaf_of_size(arm, 512 << 20)->name, "PMD");
	assert_null(paging_leaf_of_size(arm, 1ull << 42));
	assert_null(paging_level_named(x86, "P4D"));
	assert_int_equal(paging_covers(paging_level_named(x86, "PMD")), 2 << 20);
}

static void test_unknown(void **state)
{
	(void)state;
	assert_null(paging_find("x86_64", 65536, 47));
	assert_null(paging_find("x86_64", 4096, 48));
	assert_null(paging_find("riscv64", 4096, 47));
	assert_null(paging_find(NULL, 4096, 47));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels_touch),
		cmocka_unit_test(test_indices),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
