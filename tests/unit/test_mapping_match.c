/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/mapping_match.h"

#include "analysis/lineage.h"
#include "model/kind.h"
#include "model/vma.h"
#include "unit.h"

enum { RW = VMA_READ | VMA_WRITE, RX = VMA_READ | VMA_EXEC, RO = VMA_READ };

/* Names of the cases: LIB and APP are files, HEAP and STACK places. */
enum { NONE, LIB, APP, HEAP, STACK, TAG };

#define ANON(start, end, perm) \
	{ \
		start, end, 0, NONE, 0, MATCH_ANON, perm, KIND_ANON \
	}
#define FILE_AT(start, end, offset, name, perm) \
	{ \
		start, end, offset, name, name, MATCH_FILE, perm, KIND_ELF \
	}
#define PLACE(start, end, name, kind) \
	{ \
		start, end, 0, name, 0, MATCH_PLACE, RW, kind \
	}

enum { MOST = 8 };

/* want: by mapping of after, the one of before that it is, from 0; -1: it is new. */
static const struct match_case {
	const char *name;
	struct match_mapping before[MOST], after[MOST];
	int want[MOST];
	uint8_t how[MOST];
	unsigned gone;
	bool other_run;
} match_cases[] = {
	{ "the same", { ANON(0x10, 0x20, RW) }, { ANON(0x10, 0x20, RW) }, { 0 } },
	{ "grown upward", { ANON(0x10, 0x20, RW) }, { ANON(0x10, 0x40, RW) }, { 0 } },
	{ "grown downward",
	  { PLACE(0x90, 0xa0, STACK, KIND_STACK) },
	  { PLACE(0x50, 0xa0, STACK, KIND_STACK) },
	  { 0 } },
	{ "a hole in the middle",
	  { ANON(0x10, 0x40, RW) },
	  { ANON(0x10, 0x20, RW), ANON(0x30, 0x40, RW) },
	  { 0, 0 },
	  { MATCH_SPLIT, MATCH_SPLIT } },
	{ "three parts",
	  { ANON(0x10, 0x40, RW) },
	  { ANON(0x10, 0x20, RW), ANON(0x24, 0x28, RW), ANON(0x30, 0x40, RW) },
	  { 0, 0, 0 },
	  { MATCH_SPLIT, MATCH_SPLIT, MATCH_SPLIT } },
	{ "split by mprotect",
	  { ANON(0x10, 0x40, RW) },
	  { ANON(0x10, 0x20, RW), ANON(0x20, 0x30, RO), ANON(0x30, 0x40, RW) },
	  { 0, 0, 0 },
	  { MATCH_SPLIT, MATCH_SPLIT, MATCH_SPLIT } },
	{ "merged",
	  { ANON(0x10, 0x20, RW), ANON(0x30, 0x40, RW) },
	  { ANON(0x10, 0x40, RW) },
	  { 0 },
	  { MATCH_MERGED } },
	{ "other rights", { ANON(0x10, 0x20, RW) }, { ANON(0x10, 0x20, RO) }, { 0 } },
	{ "an arena that takes of its reserve",
	  { ANON(0x10, 0x20, RW), ANON(0x20, 0x80, 0) },
	  { ANON(0x10, 0x30, RW), ANON(0x30, 0x80, 0) },
	  { 0, 1 } },
	{ "private is not shared",
	  { ANON(0x10, 0x20, RW) },
	  { ANON(0x10, 0x20, RW | VMA_SHARED) },
	  { -1 },
	  { 0 },
	  1 },
	{ "overlaps by chance",
	  { ANON(0x10, 0x30, RW) },
	  { ANON(0x20, 0x60, RW) },
	  { 0 },
	  { MATCH_UNSURE } },
	{ "another part of the file at the same place",
	  { FILE_AT(0x10, 0x20, 0, LIB, RO) },
	  { FILE_AT(0x10, 0x20, 0x80, LIB, RO) },
	  { -1 },
	  { 0 },
	  1,
	  true },
	{ "moved by mremap",
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x10, 0x20, RW) },
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x70, 0x80, RW) },
	  { 0, 1 },
	  { 0, MATCH_MOVED | MATCH_UNSURE } },
	{ "moved and grown",
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x10, 0x20, RW) },
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x70, 0x90, RW) },
	  { 0, 1 },
	  { 0, MATCH_MOVED | MATCH_UNSURE } },
	{ "gone and a smaller one new",
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x10, 0x20, RW) },
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x70, 0x78, RW) },
	  { 0, -1 },
	  { 0, 0 },
	  1 },
	{ "two may have moved: neither is said to",
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x10, 0x20, RW), ANON(0x30, 0x40, RW) },
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), ANON(0x70, 0x80, RW), ANON(0x90, 0xa0, RW) },
	  { 0, -1, -1 },
	  { 0, 0, 0 },
	  2 },
	{ "the same part of a file elsewhere",
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), FILE_AT(0x10, 0x20, 0x40, LIB, RO) },
	  { PLACE(0x1, 0x2, HEAP, KIND_HEAP), FILE_AT(0x70, 0x80, 0x40, LIB, RO) },
	  { 0, 1 },
	  { 0, MATCH_MOVED } },
	{ "another run",
	  { FILE_AT(0x100, 0x110, 0, APP, RX), FILE_AT(0x110, 0x120, 0x10, APP, RW),
	    ANON(0x120, 0x124, RW), PLACE(0x200, 0x220, HEAP, KIND_HEAP),
	    FILE_AT(0x700, 0x740, 0, LIB, RX), ANON(0x740, 0x748, RW),
	    PLACE(0xf00, 0xf10, STACK, KIND_STACK) },
	  { FILE_AT(0x300, 0x310, 0, APP, RX), FILE_AT(0x310, 0x320, 0x10, APP, RW),
	    ANON(0x320, 0x324, RW), PLACE(0x480, 0x4c0, HEAP, KIND_HEAP),
	    FILE_AT(0x600, 0x640, 0, LIB, RX), ANON(0x640, 0x648, RW),
	    PLACE(0xe00, 0xe30, STACK, KIND_STACK) },
	  { 0, 1, 2, 3, 4, 5, 6 },
	  { 0 },
	  0,
	  true },
	{ "another run, what lies between two libraries grew",
	  { FILE_AT(0x100, 0x110, 0, APP, RX), ANON(0x118, 0x120, RW),
	    FILE_AT(0x700, 0x740, 0, LIB, RX) },
	  { FILE_AT(0x300, 0x310, 0, APP, RX), ANON(0x318, 0x340, RW),
	    FILE_AT(0x600, 0x640, 0, LIB, RX) },
	  { 0, 1, 2 },
	  { 0 },
	  0,
	  true },
	{ "another run, split there",
	  { FILE_AT(0x100, 0x110, 0, APP, RX), ANON(0x110, 0x140, RW) },
	  { FILE_AT(0x300, 0x310, 0, APP, RX), ANON(0x310, 0x318, RW), ANON(0x328, 0x340, RW) },
	  { 0, 1, 1 },
	  { 0, MATCH_SPLIT, MATCH_SPLIT },
	  0,
	  true },
	{ "another run, one of two siblings is left",
	  { FILE_AT(0x100, 0x110, 0, LIB, RO), FILE_AT(0x200, 0x210, 0, LIB, RO) },
	  { FILE_AT(0x300, 0x310, 0, LIB, RO) },
	  { 0 },
	  { MATCH_UNSURE },
	  1,
	  true },
};

static struct match_side side_of(const struct match_mapping *list)
{
	struct match_side side = { list, 0 };

	while (side.count < MOST && list[side.count].end)
		side.count++;
	return side;
}

static bool is_among(uint32_t group, const uint32_t *groups, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count; i++)
		found |= groups[i] == group;
	return found;
}

static void check_case(const struct match_case *c)
{
	const struct match_side before = side_of(c->before), after = side_of(c->after);
	unsigned gone = 0;
	struct match match;

	mapping_match(&before, &after, &match);
	CHECK(c->name, match.same_layout == !c->other_run);
	for (size_t k = 0; k < after.count; k++) {
		uint32_t group = match.after[k];

		CHECK(c->name, c->want[k] >= 0 ? group == match.before[c->want[k]] :
						 !is_among(group, match.before, before.count));
		CHECK(c->name, match.how[group] == c->how[k]);
	}
	for (size_t m = 0; m < before.count; m++)
		gone += !is_among(match.before[m], match.after, after.count);
	CHECK(c->name, gone == c->gone);
	match_fini(&match);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(match_cases); i++)
		check_case(&match_cases[i]);
}

static void test_replaced(void **state)
{
	const struct match_mapping old = FILE_AT(0x10, 0x20, 0, LIB, RO);
	struct match_mapping new = old;
	const struct match_side before = { &old, 1 }, after = { &new, 1 };
	struct match match;

	(void)state;
	new.file = 77;
	mapping_match(&before, &after, &match);
	assert_int_equal(match.groups, 1);
	assert_int_equal(match.how[0], MATCH_REPLACED);
	match_fini(&match);
}

static void test_none(void **state)
{
	const struct match_mapping one = ANON(0x10, 0x20, RW);
	const struct match_side none = { NULL, 0 }, some = { &one, 1 };
	struct match match;

	(void)state;
	mapping_match(&none, &none, &match);
	assert_int_equal(match.groups, 0);
	match_fini(&match);
	mapping_match(&none, &some, &match);
	assert_int_equal(match.groups, 1);
	match_fini(&match);
}

/* What was split, then merged again, is one row; its figures are those of all its parts. */
static void test_lineage(void **state)
{
	static const struct match_mapping moments[4][2] = {
		{ ANON(0x10, 0x40, RW) },
		{ ANON(0x10, 0x20, RW), ANON(0x30, 0x40, RW) },
		{ ANON(0x10, 0x20, RW), ANON(0x30, 0x40, RW) },
		{ ANON(0x10, 0x40, RW) },
	};
	static const uint64_t figures[4][2] = { { 5 }, { 3, 4 }, { 6, 4 }, { 11 } };
	struct lineage lineage;
	struct trend trend;

	(void)state;
	lineage_begin(&lineage, 1, figures[0]);
	for (size_t i = 1; i < 4; i++) {
		const struct match_side before = side_of(moments[i - 1]),
					after = side_of(moments[i]);
		const struct match_side two[] = {
			{ before.list, before.count > 2 ? 2 : before.count },
			{ after.list, after.count > 2 ? 2 : after.count }
		};
		struct match match;

		mapping_match(&two[0], &two[1], &match);
		lineage_step(&lineage, &match, two[1].count, figures[i]);
		match_fini(&match);
	}
	lineage_end(&lineage);
	assert_int_equal(lineage.rows, 1);
	assert_int_equal(lineage.how[0], MATCH_SPLIT | MATCH_MERGED);
	assert_int_equal(lineage.moments[1].figure[0], 7);
	assert_int_equal(lineage.moments[2].figure[0], 10);
	trend_of(&lineage, 0, &trend);
	assert_true(trend.monotonic);
	assert_int_equal(trend.steepest, 1);
	assert_int_equal(trend.step, 3);
	assert_int_equal(trend.low, 5);
	assert_int_equal(trend.high, 11);
	lineage_fini(&lineage);
}

/* Two rows that one mapping takes in later were one all along; what came and went has figures of its own. */
static void test_joined(void **state)
{
	static const struct match_mapping first[] = { ANON(0x10, 0x20, RW), ANON(0x30, 0x40, RW) };
	static const struct match_mapping second[] = { ANON(0x10, 0x40, RW), ANON(0x80, 0x90, RW) };
	static const struct match_mapping third[] = { ANON(0x10, 0x40, RW) };
	const struct match_side a = { first, 2 }, b = { second, 2 }, c = { third, 1 };
	struct lineage lineage;
	struct match match;
	struct trend trend;

	(void)state;
	lineage_begin(&lineage, 2, (const uint64_t[]){ 1, 2 });
	mapping_match(&a, &b, &match);
	lineage_step(&lineage, &match, 2, (const uint64_t[]){ 9, 100 });
	match_fini(&match);
	mapping_match(&b, &c, &match);
	lineage_step(&lineage, &match, 1, (const uint64_t[]){ 7 });
	match_fini(&match);
	lineage_end(&lineage);
	assert_int_equal(lineage.rows, 2);
	assert_int_equal(lineage.first[0], lineage.first[1]);
	assert_int_equal(lineage.first[0], lineage.last[0]);
	assert_int_equal(lineage.moments[0].figure[0], 3);
	assert_int_equal(lineage.moments[0].figure[1], 0);
	assert_int_equal(lineage.moments[1].figure[1], 100);
	assert_int_equal(lineage.moments[2].figure[1], 0);
	trend_of(&lineage, 0, &trend);
	assert_false(trend.monotonic);
	assert_int_equal(trend.step, 6);
	lineage_fini(&lineage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),  cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_none),   cmocka_unit_test(test_lineage),
		cmocka_unit_test(test_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
