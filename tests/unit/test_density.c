/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/density.h"

#include "model/vma.h"
#include "unit.h"

static void check(const struct density *got, const struct density *want)
{
	assert_int_equal(got->present, want->present);
	assert_int_equal(got->used, want->used);
	assert_int_equal(got->runs, want->runs);
	assert_int_equal(got->few, want->few);
	assert_int_equal(got->few_runs, want->few_runs);
	assert_int_equal(got->top, want->top);
	assert_int_equal(got->frame_runs, want->frame_runs);
	assert_int_equal(got->frame_longest, want->frame_longest);
	assert_int_equal(got->hidden, want->hidden);
}

/* Runs of 4, 5 and 1 pages from page 100 on; the five are two pieces of frames. */
static void test_runs(void **state)
{
	struct density density, sum = { 0 };
	struct density_walk walk;

	(void)state;
	density_begin(&walk, &density, 100);
	density_add(&walk, 100, 7000, 3, true);
	density_add(&walk, 103, 7003, 1, true);
	density_add(&walk, 110, 7004, 2, true);
	density_add(&walk, 112, 7100, 3, true);
	density_add_used(&walk, 115, 2);
	density_add(&walk, 117, 7103, 1, true);
	density_add_used(&walk, 130, 1);
	density_end(&walk);
	check(&density, &(struct density){ .present = 10,
					   .used = 13,
					   .runs = 3,
					   .few = 5,
					   .few_runs = 2,
					   .top = 31,
					   .frame_runs = 4,
					   .frame_longest = 4 });
	density_merge(&sum, &density);
	density_merge(&sum, &density);
	assert_int_equal(sum.present, 20);
	assert_int_equal(sum.few_runs, 4);
	assert_int_equal(sum.frame_longest, 4);
	density_begin(&walk, &density, 5);
	density_end(&walk);
	check(&density, &(struct density){ 0 });
}

/* The same frame again and again (merged pages), and frames that are hidden. */
static void test_same_frame(void **state)
{
	struct density density;
	struct density_walk walk;

	(void)state;
	density_begin(&walk, &density, 0);
	density_add(&walk, 0, 9, 3, false);
	density_end(&walk);
	check(&density, &(struct density){ .present = 3,
					   .used = 3,
					   .runs = 1,
					   .few = 3,
					   .few_runs = 1,
					   .top = 3,
					   .frame_runs = 3,
					   .frame_longest = 1 });
	density_begin(&walk, &density, 0);
	density_add(&walk, 8, 0, 5, false);
	density_end(&walk);
	assert_true(density.hidden);
	assert_int_equal(density.runs, 1);
	assert_int_equal(density.few, 0);
	assert_int_equal(density.top, 13);
}

#define MIB (1ull << 20)

static void test_arenas(void **state)
{
	enum { RW = VMA_READ | VMA_WRITE };
	static const struct {
		const char *name;
		struct vma vma, next;
		bool arena;
	} cases[] = {
		{ "with its rest",
		  { .start = 640 * MIB, .end = 641 * MIB, .perm = RW },
		  { .start = 641 * MIB, .end = 704 * MIB },
		  true },
		{ "full", { .start = 640 * MIB, .end = 704 * MIB, .perm = RW }, { 0 }, true },
		{ "no rest", { .start = 640 * MIB, .end = 641 * MIB, .perm = RW }, { 0 }, false },
		{ "rest too short",
		  { .start = 640 * MIB, .end = 641 * MIB, .perm = RW },
		  { .start = 641 * MIB, .end = 703 * MIB },
		  false },
		{ "rest may be read",
		  { .start = 640 * MIB, .end = 641 * MIB, .perm = RW },
		  { .start = 641 * MIB, .end = 704 * MIB, .perm = VMA_READ },
		  false },
		{ "rest is of a file",
		  { .start = 640 * MIB, .end = 641 * MIB, .perm = RW },
		  { .start = 641 * MIB, .end = 704 * MIB, .inode = 3 },
		  false },
		{ "elsewhere",
		  { .start = 641 * MIB, .end = 642 * MIB, .perm = RW },
		  { .start = 642 * MIB, .end = 705 * MIB },
		  false },
		{ "too long", { .start = 640 * MIB, .end = 800 * MIB, .perm = RW }, { 0 }, false },
		{ "read only",
		  { .start = 640 * MIB, .end = 704 * MIB, .perm = VMA_READ },
		  { 0 },
		  false },
		{ "shared",
		  { .start = 640 * MIB, .end = 704 * MIB, .perm = RW | VMA_SHARED },
		  { 0 },
		  false },
		{ "of a file",
		  { .start = 640 * MIB, .end = 704 * MIB, .perm = RW, .inode = 9 },
		  { 0 },
		  false },
		{ "named",
		  { .start = 640 * MIB, .end = 704 * MIB, .perm = RW, .path = BYTES("[stack]") },
		  { 0 },
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK(cases[i].name,
		      density_is_arena(&cases[i].vma, cases[i].next.end ? &cases[i].next : NULL) ==
			      cases[i].arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_same_frame),
		cmocka_unit_test(test_arenas),
	};

	return cmocka_run_group_tests_name("density", tests, NULL, NULL);
}
