/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/address_space.h"

#include "model/vma.h"

#include "unit.h"

static struct vma make(uint64_t start, uint64_t end, uint8_t perm, const char *flags)
{
	return (struct vma){ .start = start, .end = end, .perm = perm, .vm_flags = bytes_of(flags) };
}

static uint64_t pairs(const struct address_space *space, const char *why)
{
	for (size_t i = 0; i < space->split_count; i++)
		if (strcmp(space->splits[i].why, why) == 0)
			return space->splits[i].pairs;
	return 0;
}

static void test_gaps(void **state)
{
	struct address_space space;
	const struct vma vmas[] = {
		make(0x1000, 0x2000, VMA_READ, "rd"),
		make(0x3000, 0x4000, VMA_READ, "rd"),	/* a gap of one page */
		make(0x9000, 0xa000, VMA_READ, "rd"),	/* of five */
		make(0xffffffffff600000, 0xffffffffff601000, VMA_EXEC, "ex"),
	};

	(void)state;
	address_space_init(&space);
	for (size_t i = 0; i < COUNT(vmas); i++)
		address_space_add(&space, &vmas[i], 4096);
	assert_int_equal(space.mappings, 3);
	assert_int_equal(space.size.u, 0x3000);
	assert_int_equal(space.gaps, 2);
	assert_int_equal(space.gap_bytes, 0x6000);
	assert_int_equal(space.largest_gap, 0x5000);
	assert_int_equal(space.largest_gap_at, 0x4000);
	assert_int_equal(space.gap_orders[0], 1);
	assert_int_equal(space.gap_orders[2], 1);
	assert_string_equal(space.rss.reason, "smaps is not readable");
}

static void test_splits(void **state)
{
	struct address_space space;
	struct vma vmas[] = {
		make(0x1000, 0x2000, VMA_READ, "rd mr"),
		make(0x2000, 0x3000, VMA_READ | VMA_WRITE, "rd wr mr"),	   /* rights alone */
		make(0x3000, 0x4000, VMA_READ | VMA_WRITE, "rd wr mr hg"), /* one flag */
		make(0x4000, 0x5000, VMA_READ, "rd mr"),		   /* both */
		make(0x5000, 0x6000, VMA_READ, "rd mr"),		   /* nothing */
		make(0x6000, 0x7000, VMA_READ, "rd mr"),		   /* a file behind it */
		make(0x7000, 0x8000, VMA_WRITE, "wr mr"),		   /* the file goes on */
		make(0x8000, 0x9000, VMA_READ, "rd mr"),		   /* elsewhere in the file */
	};

	(void)state;
	for (size_t i = 5; i < 8; i++)
		vmas[i].inode = 7;
	vmas[6].offset = 0x1000;
	vmas[7].offset = 0x9000;
	address_space_init(&space);
	for (size_t i = 0; i < COUNT(vmas); i++)
		address_space_add(&space, &vmas[i], 4096);
	assert_int_equal(pairs(&space, "rights"), 2);
	assert_int_equal(pairs(&space, "flag hg"), 1);
	assert_int_equal(pairs(&space, "nothing visible"), 1);
	assert_int_equal(space.split_count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_splits),
	};

	return cmocka_run_group_tests_name("address_space", tests, NULL, NULL);
}
