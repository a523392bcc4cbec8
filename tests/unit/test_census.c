/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/census.h"

#include <stdlib.h>

#include "analysis/frame_owners.h"
#include "analysis/frame_sums.h"
#include "model/page.h"
#include "unit.h"

#define F(name) PAGE_FLAG(name)
#define ANON_PAGE (F(UPTODATE) | F(LRU) | F(MMAP) | F(ANON) | F(SWAPBACKED))
#define FOLIO_HEAD (F(THP) | F(HEAD))
#define FOLIO_TAIL (F(THP) | F(TAIL))

static void fill(uint64_t *words, size_t from, size_t count, uint64_t flags)
{
	for (size_t i = 0; i < count; i++)
		words[from + i] = flags;
}

static void folio(uint64_t *words, size_t from, size_t pages, uint64_t flags)
{
	words[from] = flags | FOLIO_HEAD;
	fill(words, from + 1, pages - 1, flags | FOLIO_TAIL);
}

static struct frame_sums sums_of(const struct census *census, size_t zone)
{
	struct frame_sums sums = { 0 };

	frame_sums_add_words(&sums, &census->zones[zone], false);
	return sums;
}

static void test_words(void **state)
{
	const struct census_shape shape = { .zones = 2, .end = 64 };
	struct census census;
	uint64_t words[64];
	struct frame_sums sums;

	(void)state;
	fill(words, 0, 10, F(BUDDY));
	fill(words, 10, 20, ANON_PAGE);
	fill(words, 30, 1, F(BUDDY));
	fill(words, 31, 33, F(SLAB) | F(ANON));
	census_init(&census, &shape);
	census_add(&census, 0, 0, words, 30);
	census_add(&census, 2, 30, words + 30, 34);
	sums = sums_of(&census, 0);
	assert_int_equal(sums.total, 30);
	assert_int_equal(sums.class[FRAME_FREE], 10);
	assert_int_equal(sums.class[FRAME_ANON], 20);
	assert_int_equal(sums.mobility[MOBILITY_FREE], 10);
	assert_int_equal(sums.mobility[MOBILITY_MOVABLE], 20);
	assert_int_equal(sums_of(&census, 1).total, 0);
	sums = sums_of(&census, 2);
	assert_int_equal(sums.class[FRAME_FREE], 1);
	assert_int_equal(sums.class[FRAME_SLAB], 33);
	census_fini(&census);
}

/* Folios of 16, 2, 16 and 4 pages; one of 3 and one without tails changed while they were read. */
static void test_folios(void **state)
{
	const struct census_shape shape = { .end = 64 };
	struct census census;
	uint64_t words[64] = { 0 };

	(void)state;
	folio(words, 0, 16, ANON_PAGE);
	folio(words, 16, 2, F(LRU) | F(UPTODATE));
	folio(words, 18, 16, F(LRU) | F(SWAPBACKED));
	folio(words, 34, 4, ANON_PAGE);
	folio(words, 38, 3, ANON_PAGE);
	words[42] = ANON_PAGE | FOLIO_HEAD;
	folio(words, 60, 4, ANON_PAGE);
	census_init(&census, &shape);
	/* in two pieces, cut within a folio */
	census_add(&census, 0, 0, words, 25);
	census_add(&census, 0, 25, words + 25, 39);
	census_break(&census);
	assert_int_equal(census.folios[FOLIO_ANON][4], 1);
	assert_int_equal(census.folios[FOLIO_ANON][2], 2);
	assert_int_equal(census.folios[FOLIO_SHM][4], 1);
	assert_int_equal(census.folios[FOLIO_FILE][1], 1);
	assert_int_equal(census.torn_folios, 4);
	census_fini(&census);
}

/* Older kernels show what a folio is of its head alone; huge zero pages are no folios of anybody. */
static void test_tails(void **state)
{
	const struct census_shape shape = { .end = 1024 };
	struct census census;
	struct frame_sums sums;
	uint64_t *words = calloc(1024, sizeof(*words));

	(void)state;
	assert_non_null(words);
	fill(words, 0, 512, FOLIO_TAIL);
	words[0] = ANON_PAGE | FOLIO_HEAD | F(MLOCKED);
	fill(words, 512, 512, FOLIO_TAIL | F(ZERO));
	words[512] = FOLIO_HEAD | F(ZERO);
	census_init(&census, &shape);
	census_add(&census, 0, 0, words, 1024);
	census_break(&census);
	sums = sums_of(&census, 0);
	assert_int_equal(sums.class[FRAME_ANON], 512);
	assert_int_equal(sums.class[FRAME_ZERO], 512);
	assert_int_equal(sums.state[FRAME_ANON][STATE_UNEVICTABLE], 512);
	assert_int_equal(sums.state[FRAME_ANON][STATE_LARGE], 512);
	assert_int_equal(census.folios[FOLIO_ANON][9], 1);
	assert_int_equal(census.folios[FOLIO_FILE][9], 0);
	assert_int_equal(census.torn_folios, 0);
	census_fini(&census);
	free(words);
}

static void test_places(void **state)
{
	const struct census_shape shape = {
		.zones = 1, .end = 50, .block_frames = 8, .cell_frames = 6
	};
	struct census census;
	uint64_t words[50] = { 0 };

	(void)state;
	words[20] = F(BUDDY);
	fill(words, 33, 17, F(BUDDY));
	census_init(&census, &shape);
	assert_int_equal(census_blocks(&shape), 7);
	assert_int_equal(census_cells(&shape), 9);
	census_add(&census, 0, 0, words, 40);
	census_add_holes(&census, 40, 10);
	/* blocks 0, 1 and 3 are empty; 2 and 4 hold something, 5 and 6 were not read */
	assert_int_equal(census_empty(&census, 0, 50), 24);
	assert_int_equal(census_empty(&census, 1, 50), 16);
	assert_int_equal(census_empty(&census, 0, 15), 8);
	assert_int_equal(census_empty(&census, 8, 16), 8);
	assert_int_equal(census_empty(&census, 9, 15), 0);
	assert_int_equal(census.cells[3][FRAME_FREE], 1);
	assert_int_equal(census.cells[3][FRAME_KERNEL], 5);
	assert_int_equal(census.cells[6][FRAME_FREE], 4);
	assert_int_equal(census.cells[6][FRAME_HOLE], 2);
	assert_int_equal(census.cells[8][FRAME_HOLE], 2);
	census_set_empty(&census, 8, 50, FRAME_UNINITIALISED);
	assert_int_equal(census.cells[0][FRAME_KERNEL], 6);
	assert_int_equal(census.cells[1][FRAME_KERNEL], 2);
	assert_int_equal(census.cells[1][FRAME_UNINITIALISED], 4);
	assert_int_equal(census.cells[2][FRAME_UNINITIALISED], 4);
	assert_int_equal(census.cells[4][FRAME_UNINITIALISED], 6);
	census_fini(&census);
}

enum { MANY = 20000 };

/* Some thousand different words, in pieces by several censuses: the same as by one. */
static void test_merge(void **state)
{
	const struct census_shape shape = {
		.zones = 1, .end = MANY, .block_frames = 64, .cell_frames = 100
	};
	uint64_t *words = calloc(MANY, sizeof(*words));
	struct census whole, part[3];

	(void)state;
	assert_non_null(words);
	for (size_t i = 0; i < MANY; i++)
		words[i] = i % 7 ? i * 0x9e3779b97f4a7c15ull & ~(F(HEAD) | F(TAIL)) : 0;
	census_init(&whole, &shape);
	census_add(&whole, 0, 0, words, MANY);
	for (size_t i = 0; i < 3; i++)
		census_init(&part[i], &shape);
	for (size_t i = 0; i < MANY; i += 500)
		census_add(&part[i / 500 % 3], 0, i, words + i, 500);
	census_merge(&part[0], &part[1]);
	census_merge(&part[0], &part[2]);
	for (size_t i = 0; i < census_cells(&shape); i++)
		assert_memory_equal(whole.cells[i], part[0].cells[i], sizeof(whole.cells[i]));
	assert_int_equal(whole.zones[0].count, part[0].zones[0].count);
	{
		struct frame_sums a = sums_of(&whole, 0), b = sums_of(&part[0], 0);

		assert_int_equal(a.total, MANY);
		assert_memory_equal(&a, &b, sizeof(a));
	}
	census_fini(&whole);
	for (size_t i = 0; i < 3; i++)
		census_fini(&part[i]);
	free(words);
}

static void test_counts(void **state)
{
	static const struct {
		const char *name;
		uint64_t flags;
		int count[4];	/* enum frame_count + 1; 0: no more */
	} cases[] = {
		{ "active anonymous",
		  ANON_PAGE | F(ACTIVE),
		  { COUNT_ACTIVE_ANON + 1, COUNT_ANON_MAPPED + 1 } },
		{ "anonymous", ANON_PAGE, { COUNT_INACTIVE_ANON + 1, COUNT_ANON_MAPPED + 1 } },
		{ "lazily freed",
		  ANON_PAGE & ~F(SWAPBACKED),
		  { COUNT_INACTIVE_FILE + 1, COUNT_ANON_MAPPED + 1 } },
		{ "mlocked",
		  ANON_PAGE | F(UNEVICTABLE) | F(MLOCKED),
		  { COUNT_UNEVICTABLE + 1, COUNT_MLOCKED + 1, COUNT_ANON_MAPPED + 1 } },
		{ "shared",
		  F(LRU) | F(SWAPBACKED) | F(DIRTY) | F(MMAP),
		  { COUNT_INACTIVE_ANON + 1, COUNT_FILE_MAPPED + 1 } },
		{ "file", F(LRU) | F(UPTODATE), { COUNT_INACTIVE_FILE + 1 } },
		{ "dirty file",
		  F(LRU) | F(ACTIVE) | F(DIRTY),
		  { COUNT_ACTIVE_FILE + 1, COUNT_DIRTY_FILE + 1 } },
		{ "writeback of swap",
		  ANON_PAGE | F(WRITEBACK) | F(SWAPCACHE),
		  { COUNT_INACTIVE_ANON + 1, COUNT_WRITEBACK + 1, COUNT_SWAP_CACHE + 1,
		    COUNT_ANON_MAPPED + 1 } },
		{ "hugetlb", F(HUGE) | F(MMAP) | F(ANON), { 0 } },
		{ "slab with garbage", F(SLAB) | F(ANON) | F(MMAP), { 0 } },
		{ "ring", F(MMAP), { COUNT_FILE_MAPPED + 1 } },
		{ "vdso", F(MMAP) | F(RESERVED), { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct frame_sums sums = { 0 };
		unsigned want = 0;

		frame_sums_add(&sums, cases[i].flags, 5, false);
		for (unsigned k = 0; k < 4 && cases[i].count[k]; k++)
			want |= 1u << (cases[i].count[k] - 1);
		for (unsigned k = 0; k < COUNT_COUNT; k++)
			CHECK(cases[i].name, sums.count[k] == (want >> k & 1 ? 5 : 0));
	}
}

static void test_move(void **state)
{
	struct frame_sums sums = { 0 };

	(void)state;
	frame_sums_add(&sums, F(HUGE), 100, false);
	assert_int_equal(frame_sums_move(&sums, FRAME_HUGETLB, FRAME_HUGETLB_FREE, 40), 40);
	assert_int_equal(frame_sums_move(&sums, FRAME_HUGETLB, FRAME_HUGETLB_FREE, 100), 60);
	assert_int_equal(sums.class[FRAME_HUGETLB], 0);
	assert_int_equal(sums.class[FRAME_HUGETLB_FREE], 100);
	assert_int_equal(sums.mobility[MOBILITY_CONDITIONAL], 100);
	frame_sums_add_class(&sums, FRAME_HOLE, 7);
	assert_int_equal(sums.total, 107);
	assert_int_equal(sums.mobility[MOBILITY_NONE], 7);
}

static void test_owners(void **state)
{
	struct frame_owners a, b;
	uint64_t flags[6] = { ANON_PAGE, ANON_PAGE, ANON_PAGE, F(BUDDY), F(BUDDY), F(LRU) };
	uint64_t numbers[6] = { 5, 5, 6, 5, 5, 5 };

	(void)state;
	frame_owners_init(&a);
	frame_owners_init(&b);
	frame_owners_add_words(&a, flags, numbers, 6);
	for (uint64_t i = 0; i < 1000; i++)
		frame_owners_add(&b, i, FRAME_SHM, i);
	frame_owners_merge(&a, &b);
	assert_int_equal(a.count, 1000);
	for (size_t i = 0; i < a.count; i++) {
		const struct frame_owner *owner = &a.list[i];

		assert_int_equal(owner->frames[FRAME_SHM], owner->owner);
		assert_int_equal(owner->frames[FRAME_ANON],
				 owner->owner == 5 ? 2 : owner->owner == 6);
		/* what is free is nobody's, whatever its word in kpagecgroup */
		assert_int_equal(owner->frames[FRAME_FREE], owner->owner ? 0 : 2);
		assert_int_equal(owner->frames[FRAME_FILE_UNMAPPED], owner->owner == 5);
	}
	frame_owners_fini(&a);
	frame_owners_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_folios),
		cmocka_unit_test(test_tails), cmocka_unit_test(test_places),
		cmocka_unit_test(test_merge), cmocka_unit_test(test_counts),
		cmocka_unit_test(test_move),  cmocka_unit_test(test_owners),
	};

	return cmocka_run_group_tests_name("census", tests, NULL, NULL);
}
