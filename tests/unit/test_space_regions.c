/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/space_regions.h"

#include "model/vma.h"
#include "model/vma_store.h"
#include "unit.h"

#define MIB (1ull << 20)

static void add(struct vma_store *store, uint64_t start, uint64_t size, enum vma_kind kind)
{
	const struct vma vma = { .start = start, .end = start + size, .kind = kind };

	vma_store_add(store, &vma);
}

static void test_regions(void **state)
{
	struct space_regions regions;
	struct vma_store store;

	(void)state;
	vma_store_init(&store);
	space_regions_make(&regions, &store);
	assert_int_equal(regions.count, 0);
	add(&store, 10 * MIB, MIB, KIND_ELF);
	add(&store, 11 * MIB + 4096, 2 * MIB, KIND_HEAP); /* too small a gap */
	add(&store, 100 * MIB, 8 * MIB, KIND_ANON);
	add(&store, 0xffffffffff600000, 4096, KIND_SPECIAL);
	space_regions_make(&regions, &store);
	assert_int_equal(regions.count, 3);
	assert_int_equal(regions.mappings, 3);
	assert_int_equal(regions.mapped, 11 * MIB);
	assert_int_equal(regions.largest, 8 * MIB);
	assert_int_equal(regions.rows[0].start, 10 * MIB);
	assert_int_equal(regions.rows[0].end, 13 * MIB + 4096);
	assert_int_equal(regions.rows[0].mapped, 3 * MIB);
	assert_int_equal(regions.rows[0].count, 2);
	assert_true(regions.rows[1].grows);
	assert_int_equal(regions.rows[1].mapped, 0);
	assert_int_equal(regions.rows[1].end, 100 * MIB);
	assert_int_equal(regions.rows[2].first, 2);
	assert_int_equal(regions.heap_end, 13 * MIB + 4096);
	assert_int_equal(regions.heap_room, 87 * MIB - 4096);
	vma_store_fini(&store);
}

/* Only the largest gaps part regions, and nothing is lost. */
static void test_many(void **state)
{
	struct space_regions regions;
	struct vma_store store;
	uint64_t at = MIB, mapped = 0;

	(void)state;
	vma_store_init(&store);
	for (unsigned i = 0; i < 1000; i++) {
		add(&store, at, 4096 + i % 3 * 4096, KIND_ANON);
		/* every 100th gap is a large one */
		at += MIB * (i % 100 == 99 ? 1000 + i : 2);
	}
	space_regions_make(&regions, &store);
	assert_int_equal(regions.count, SPACE_ROWS);
	assert_int_equal(regions.mappings, 1000);
	for (size_t i = 0; i < regions.count; i++) {
		mapped += regions.rows[i].mapped;
		assert_true(i % 2 == !regions.rows[i].mapped);
		if (i)
			assert_int_equal(regions.rows[i].start, regions.rows[i - 1].end);
		if (i % 2)
			assert_true(regions.rows[i].end - regions.rows[i].start > 1000 * MIB);
	}
	assert_int_equal(mapped, regions.mapped);
	vma_store_fini(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("space_regions", tests, NULL, NULL);
}
