/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/buddyinfo.h"

#include <errno.h>
#include <string.h>

#include "analysis/fragmentation.h"
#include "base/arena.h"
#include "base/error.h"
#include "source/vmstat.h"

#include "unit.h"

static const char buddyinfo[] =
	"Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      2 \n"
	"Node 0, zone   Normal    216     55    189    101     84     38     37     27      5      3   3587 \n"
	"Node 3, zone   Normal      1      0      0      0      0      0      0      0      0      0      0 \n"
	"not a zone\n"
	"Node 1024, zone Normal 1 2 3\n"
	"Node 0, zone Movable 0 0 274877906945\n";

static const char pagetypeinfo[] =
	"Page block order: 9\n"
	"Pages per block:  512\n"
	"\n"
	"Free pages count per migrate type at order       0      1      2 \n"
	"Node    0, zone   Normal, type    Unmovable     71      9  >100000 \n"
	"Node    0, zone   Normal, type      Movable      1     46      0 \n"
	"\n"
	"Number of blocks type     Unmovable      Movable  Reclaimable \n"
	"Node 0, zone      DMA            1            7            0 \n"
	"Node 0, zone   Normal           57         6038           12 \n"
	"Number of mixed blocks    Unmovable      Movable  Reclaimable \n"
	"Node 0, zone   Normal            3            1            0 \n";

static void test_buddyinfo(void **state)
{
	struct buddy_zone *zones;
	size_t count, malformed;
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(
		buddyinfo_parse(bytes_of(buddyinfo), &arena, &zones, &count, &malformed, NULL), 0);
	assert_int_equal(count, 3);
	assert_int_equal(malformed, 3);
	assert_true(bytes_equal(zones[0].zone, BYTES("DMA")));
	assert_int_equal(zones[1].orders, 11);
	assert_int_equal(zones[1].free_blocks[0], 216);
	assert_int_equal(zones[1].free_blocks[10], 3587);
	assert_int_equal(zones[2].node, 3);
	assert_int_equal(buddyinfo_parse(BYTES("nothing\n"), &arena, &zones, &count, &malformed,
					 NULL),
			 -EPROTO);
	arena_fini(&arena);
}

static void test_pagetypeinfo(void **state)
{
	struct pagetypeinfo info;
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(pagetypeinfo_parse(bytes_of(pagetypeinfo), &arena, &info, NULL), 0);
	assert_int_equal(info.block_order, 9);
	assert_int_equal(info.zone_count, 2);
	assert_true(bytes_equal(info.zones[0].type, BYTES("Unmovable")));
	assert_int_equal(info.zones[0].free_blocks[2], 100000);
	assert_int_equal(info.zones[0].at_least, 1 << 2);
	assert_int_equal(info.zones[1].free_blocks[1], 46);
	assert_int_equal(info.block_count, 6);
	assert_true(bytes_equal(info.blocks[4].type, BYTES("Movable")));
	assert_int_equal(info.blocks[4].blocks, 6038);
	assert_int_equal(info.malformed, 0);
	arena_fini(&arena);
}

/* Worked out by hand, by the formulas of mm/vmstat.c. */
static void test_indices(void **state)
{
	static const struct {
		const char *name;
		uint64_t free_blocks[4];
		unsigned order, unusable;
		int external;
	} cases[] = {
		{ "nothing free", { 0, 0, 0, 0 }, 2, 1000, 0 },
		{ "all in the biggest", { 0, 0, 0, 2 }, 3, 0, -1000 },
		{ "half of it", { 8, 0, 0, 1 }, 3, 500, -1000 },
		{ "single pages", { 10, 0, 0, 0 }, 1, 1000, 400 },
		{ "many single pages", { 1000, 0, 0, 0 }, 1, 1000, 499 },
		{ "one page", { 1, 0, 0, 0 }, 3, 1000, -125 },
		{ "order 0", { 3, 1, 0, 0 }, 0, 0, -1000 },
		{ "a third", { 2, 0, 1, 0 }, 1, 333, -1000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK(cases[i].name, frag_unusable_index(cases[i].free_blocks, 4, cases[i].order) ==
					     cases[i].unusable);
		CHECK(cases[i].name, frag_external_index(cases[i].free_blocks, 4, cases[i].order) ==
					     cases[i].external);
	}
}

/* What can be had, by the best zone. Order 2 wants 4 pages now, 8 for compaction. */
static void test_verdicts(void **state)
{
	static const uint64_t pieces[] = { 1000, 0, 0, 0 }, whole[] = { 0, 0, 1, 2 },
			      few[] = { 6, 0, 0, 0 };
	static const struct {
		const char *name;
		struct frag_zone zones[2];
		struct frag_blocks blocks;
		enum frag_answer answer;
		enum frag_why why;
		uint64_t free_blocks, spare;
	} cases[] = {
		/* clang-format off */
		{ "blocks are free", { { whole, 4, false, 0 }, { pieces, 4, false, 0 } }, { 0 },
		  FRAG_NOW, FRAG_WHY_BLOCKS, 5, 1020 },
		{ "all but four kept", { { whole, 4, false, 16 } }, { 0 },
		  FRAG_NOW, FRAG_WHY_BLOCKS, 5, 4 },
		{ "all but three kept", { { whole, 4, false, 17 } }, { 0 },
		  FRAG_FREE_FIRST, FRAG_WHY_KEPT, 5, 3 },
		{ "kept, but another has pieces", { { whole, 4, false, 90 }, { pieces, 4, false, 0 } },
		  { 0 }, FRAG_COMPACTION, FRAG_WHY_PIECES, 5, 1000 },
		{ "for devices alone", { { whole, 4, true, 0 }, { whole, 4, true, 0 } }, { 0 },
		  FRAG_FREE_FIRST, FRAG_WHY_CLOSED, 0, 0 },
		{ "one for devices", { { whole, 4, true, 0 }, { few, 4, false, 0 } }, { 0 },
		  FRAG_FREE_FIRST, FRAG_WHY_LITTLE, 0, 6 },
		{ "pieces, kept back", { { pieces, 4, false, 993 } }, { 0 },
		  FRAG_FREE_FIRST, FRAG_WHY_LITTLE, 0, 7 },
		{ "pieces", { { pieces, 4, false, 992 } }, { 0 },
		  FRAG_COMPACTION, FRAG_WHY_PIECES, 0, 8 },
		{ "pieces, nothing movable", { { pieces, 4, false, 0 } }, { true, 2, 0 },
		  FRAG_NEVER, FRAG_WHY_UNMOVABLE, 0, 1000 },
		{ "pieces, one movable", { { pieces, 4, false, 0 } }, { true, 2, 1 },
		  FRAG_COMPACTION, FRAG_WHY_PIECES, 0, 1000 },
		{ "smaller than a pageblock", { { pieces, 4, false, 0 } }, { true, 3, 0 },
		  FRAG_COMPACTION, FRAG_WHY_PIECES, 0, 1000 },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t count = cases[i].zones[1].free_blocks ? 2 : 1;
		struct frag_verdict verdict =
			frag_judge(cases[i].zones, count, &cases[i].blocks, 2);

		CHECK(cases[i].name, verdict.answer == cases[i].answer);
		CHECK(cases[i].name, verdict.why == cases[i].why);
		CHECK(cases[i].name, verdict.blocks == cases[i].free_blocks);
		CHECK(cases[i].name, verdict.spare_pages == cases[i].spare);
	}
}

static void test_vmstat(void **state)
{
	static const char text[] = "compact_stall 12\nno number\nalone\nthp_fault_fallback 7";
	const char *at = text, *end = text + strlen(text);
	struct bytes name;
	uint64_t number = 5;

	(void)state;
	assert_true(vmstat_next(&at, end, &name, &number));
	assert_true(bytes_equal(name, BYTES("compact_stall")));
	assert_int_equal(number, 12);
	assert_true(vmstat_next(&at, end, &name, &number));
	assert_true(bytes_equal(name, BYTES("thp_fault_fallback")));
	assert_int_equal(number, 7);
	assert_false(vmstat_next(&at, end, &name, &number));
	assert_true(vmstat_find(BYTES(text), BYTES("compact_stall"), &number));
	assert_int_equal(number, 12);
	assert_false(vmstat_find(BYTES(text), BYTES("compact"), &number));
	assert_false(vmstat_find((struct bytes){ 0 }, BYTES("compact"), &number));
	assert_int_equal(number, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buddyinfo), cmocka_unit_test(test_pagetypeinfo),
		cmocka_unit_test(test_indices),	  cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_vmstat),
	};

	return cmocka_run_group_tests_name("buddyinfo", tests, NULL, NULL);
}
