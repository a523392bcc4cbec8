/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/blockers.h"

#include <string.h>

#include "analysis/census.h"
#include "model/page.h"
#include "unit.h"

/* Ten frames a pageblock. Who has what is a letter: process, file, or the slab. */
static uint32_t owner_of(struct blockers *blockers, char letter)
{
	struct blocker like = { .kind = BLOCKER_CLASS, .class = FRAME_SLAB };

	if (letter >= 'A' && letter <= 'Z')
		like = (struct blocker){ .kind = BLOCKER_FILE,
					 .dev = 1,
					 .inode = (uint64_t)letter };
	else if (letter != '/')
		like = (struct blocker){ .kind = BLOCKER_PROCESS, .pid = letter };
	return blockers_find(blockers, &like);
}

static size_t make(struct blockers *blockers, const char *memory, struct blocker_frame *frames)
{
	size_t count = 0;

	for (size_t i = 0; memory[i]; i++)
		if (memory[i] != '.')
			frames[count++] = (struct blocker_frame){
				.pfn = 1000 + i,
				.owner = owner_of(blockers, memory[i]),
			};
	return count;
}

static void check(const struct blocker *blocker, uint64_t pageblocks, uint64_t touched,
		  uint64_t frames)
{
	assert_int_equal(blocker->pageblocks, pageblocks);
	assert_int_equal(blocker->touched, touched);
	assert_int_equal(blocker->frames, frames);
}

static void test_ranking(void **state)
{
	static const char memory[] = "a........a"
				     ".b.......a"
				     "A........."
				     ".........."
				     "....aa...."
				     "/b......./"
				     "..A......."
				     ".....A...A"
				     "b.........";
	struct blocker_frame frames[sizeof(memory)];
	struct blockers blockers;
	uint32_t at;
	size_t count;

	(void)state;
	blockers_init(&blockers);
	count = make(&blockers, memory, frames);
	assert_int_equal(count, 14);
	blockers_count(&blockers, frames, count, 10);
	assert_int_equal(blockers.count, 4);
	assert_int_equal(blockers.list[0].inode, 'A');
	check(&blockers.list[0], 3, 3, 4);
	assert_int_equal(blockers.list[1].pid, 'a');
	check(&blockers.list[1], 2, 3, 5);
	assert_int_equal(blockers.list[2].pid, 'b');
	check(&blockers.list[2], 1, 3, 3);
	assert_int_equal(blockers.list[3].class, FRAME_SLAB);
	check(&blockers.list[3], 0, 1, 2);
	/* the chain of a */
	at = blockers.list[1].first;
	for (const char *pfn = "\x00\x09\x13\x2c\x2d", *end = pfn + 5; pfn < end; pfn++) {
		assert_int_equal(frames[at].pfn, 1000 + (uint64_t)*pfn);
		at = frames[at].next;
	}
	assert_int_equal(at, BLOCKER_NONE);
	blockers_fini(&blockers);
}

/* What this run itself has is gone when it ends: it keeps no other from being the only one. */
static void test_passing(void **state)
{
	static const char memory[] = "ab........"
				     "ba........"
				     "a.a......."
				     "abA......."
				     "b........."
				     "a....../.a";
	struct blocker_frame frames[sizeof(memory)];
	struct blockers blockers;
	size_t count;

	(void)state;
	blockers_init(&blockers);
	count = make(&blockers, memory, frames);
	blockers.list[0].passing = true;
	blockers_count(&blockers, frames, count, 10);
	assert_int_equal(blockers.list[0].pid, 'b');
	check(&blockers.list[0], 3, 4, 4);
	assert_int_equal(blockers.list[1].pid, 'a');
	check(&blockers.list[1], 1, 5, 7);
	assert_int_equal(blockers.list[2].class, FRAME_SLAB);
	check(&blockers.list[2], 1, 1, 1);
	assert_int_equal(blockers.list[3].inode, 'A');
	check(&blockers.list[3], 0, 1, 1);
	blockers_fini(&blockers);
}

/* More owners than there is room for at first, found again. */
static void test_many(void **state)
{
	struct blockers blockers;

	(void)state;
	blockers_init(&blockers);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 1000; i++)
			assert_int_equal(blockers_find(&blockers,
						       &(struct blocker){ .kind = BLOCKER_PROCESS,
									  .pid = i + 1 }),
					 i);
	assert_int_equal(blockers.count, 1000);
	blockers_count(&blockers, NULL, 0, 512);
	check(&blockers.list[0], 0, 0, 0);
	blockers_fini(&blockers);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *name;
		struct pageblock block;
		enum pageblock_kind kind;
		bool can_empty;
	} cases[] = {
		{ "hole", { { 0, 0, 0, 0 } }, PAGEBLOCK_HOLE, false },
		{ "partial", { { 511, 0, 0, 0 } }, PAGEBLOCK_PARTIAL, false },
		{ "free", { { 512, 0, 0, 0 } }, PAGEBLOCK_FREE, true },
		{ "nearly, movable", { { 480, 32, 0, 0 } }, PAGEBLOCK_NEARLY_FREE, true },
		{ "nearly, unmovable", { { 511, 0, 1, 0 } }, PAGEBLOCK_NEARLY_FREE, false },
		{ "nearly, held", { { 511, 0, 0, 1 } }, PAGEBLOCK_NEARLY_FREE, false },
		{ "movable", { { 479, 33, 0, 0 } }, PAGEBLOCK_MOVABLE, true },
		{ "full", { { 0, 512, 0, 0 } }, PAGEBLOCK_MOVABLE, true },
		{ "held", { { 0, 1, 0, 511 } }, PAGEBLOCK_HELD, false },
		{ "mixed", { { 0, 257, 255, 0 } }, PAGEBLOCK_MIXED, false },
		{ "mixed with held", { { 400, 0, 1, 111 } }, PAGEBLOCK_MIXED, false },
		{ "half", { { 256, 0, 256, 0 } }, PAGEBLOCK_UNMOVABLE, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK(cases[i].name, pageblock_kind_of(&cases[i].block, 512) == cases[i].kind);
		CHECK(cases[i].name,
		      pageblock_can_empty(&cases[i].block, 512) == cases[i].can_empty);
	}
}

static void check_block(const struct pageblock *block, uint32_t free, uint32_t movable,
			uint32_t unmovable, uint32_t held)
{
	assert_int_equal(block->frames[BLOCK_USE_FREE], free);
	assert_int_equal(block->frames[BLOCK_USE_MOVABLE], movable);
	assert_int_equal(block->frames[BLOCK_USE_UNMOVABLE], unmovable);
	assert_int_equal(block->frames[BLOCK_USE_HELD], held);
}

/* Runs over the ends of pageblocks of four frames; mlocked memory moves where it is allowed to. */
static void test_census(void **state)
{
	struct census_shape shape = {
		.zones = 1, .end = 14, .block_frames = 4, .pageblock_frames = 4
	};
	uint64_t words[14] = { 0 };
	struct census census, half;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		words[i] = PAGE_FLAG(BUDDY);
	words[5] = PAGE_FLAG(SLAB);
	words[6] = words[7] = words[8] = PAGE_FLAG(LRU) | PAGE_FLAG(ANON) | PAGE_FLAG(SWAPBACKED) |
					 PAGE_FLAG(MLOCKED);
	words[9] = PAGE_FLAG(HUGE);
	for (int unevictable = 0; unevictable < 2; unevictable++) {
		uint32_t moved = unevictable ? 2 : 0;

		shape.unevictable = unevictable;
		census_init(&census, &shape);
		census_init(&half, &shape);
		assert_int_equal(census_pageblocks(&shape), 4);
		census_add(&census, 0, 0, words, 7);
		census_add(&half, 0, 7, words + 7, 7);
		census_merge(&census, &half);
		check_block(&census.pageblocks[0], 4, 0, 0, 0);
		check_block(&census.pageblocks[1], 1, moved, 3 - moved, 0);
		check_block(&census.pageblocks[2], 0, moved / 2, 3 - moved / 2, 1);
		check_block(&census.pageblocks[3], 0, 0, 2, 0);
		census_fini(&census);
		census_fini(&half);
	}
}

/* Memory that is not in use yet is no memory of pageblocks. */
static void test_uninitialised(void **state)
{
	const struct census_shape shape = {
		.zones = 1, .end = 12, .block_frames = 4, .pageblock_frames = 3
	};
	const uint64_t words[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, PAGE_FLAG(BUDDY) };
	struct census census;

	(void)state;
	census_init(&census, &shape);
	census_add(&census, 0, 0, words, 12);
	census_set_empty(&census, 0, 12, FRAME_UNINITIALISED);
	check_block(&census.pageblocks[0], 0, 0, 0, 0);
	check_block(&census.pageblocks[2], 0, 0, 1, 0);
	check_block(&census.pageblocks[3], 1, 0, 2, 0);
	census_fini(&census);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranking), cmocka_unit_test(test_passing),
		cmocka_unit_test(test_many),	cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_census),	cmocka_unit_test(test_uninitialised),
	};

	return cmocka_run_group_tests_name("blockers", tests, NULL, NULL);
}
