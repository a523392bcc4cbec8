/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/swap_slots.h"
#include "source/swaps.h"
#include "unit.h"

static void test_swaps(void **state)
{
	static const char text[] = "Filename Type Size Used Priority\n"
				   "/dev/zram0 partition 262140 1120 100\n"
				   "/swap\\040file file 8 4 -2\n"
				   "nonsense\n"
				   "/dev/sda2 partition 99999999999999999999 0 -3\n";
	struct swap_device devices[SWAPS_MAX];
	size_t malformed;

	(void)state;
	assert_int_equal(swaps_parse(bytes_of(text), devices, &malformed), 2);
	assert_int_equal(malformed, 2);
	assert_int_equal(devices[0].kind, SWAP_ZRAM);
	assert_int_equal(devices[0].size, 262140 * 1024);
	assert_int_equal(devices[0].used, 1120 * 1024);
	assert_int_equal(devices[0].priority, 100);
	assert_int_equal(devices[1].kind, SWAP_FILE);
	assert_int_equal(devices[1].priority, -2);
	check_bytes("name", devices[1].name, BYTES("/swap\\040file"));
	assert_int_equal(swaps_parse(BYTES(""), devices, &malformed), 0);
	assert_int_equal(malformed, 0);
}

/* Three processes; slot 1 is of the first alone, 2 of two, 3 of all, 4 twice of the third. */
static void test_slots(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t index;
	} steps[] = { { 1, 0 }, { 2, 0 }, { 3, 0 }, { 2, 1 }, { 3, 1 },
		      { 3, 2 }, { 4, 2 }, { 4, 2 }, { 99, 2 } };
	struct swap_holder holders[3] = { { 0, 0 } };
	struct swap_slots slots;

	(void)state;
	swap_slots_init(&slots, 10);
	for (size_t i = 0; i < COUNT(steps); i++)
		swap_slots_add(&slots, steps[i].offset, steps[i].index, holders);
	assert_int_equal(slots.used, 4);
	assert_int_equal(slots.outside, 1);
	assert_int_equal(holders[0].own, 1);
	assert_int_equal(holders[0].shared, 2);
	assert_int_equal(holders[1].own, 0);
	assert_int_equal(holders[1].shared, 2);
	assert_int_equal(holders[2].own, 1);
	assert_int_equal(holders[2].shared, 1);
	swap_slots_fini(&slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swaps),
		cmocka_unit_test(test_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
