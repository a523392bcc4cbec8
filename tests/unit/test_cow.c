/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/cow.h"

#include "model/page.h"
#include "unit.h"

#define ANON(pfn) (PAGEMAP_PRESENT | (pfn))
#define FILED(pfn) (PAGEMAP_PRESENT | PAGEMAP_FILE | (pfn))
#define SWAP(offset) (PAGEMAP_SWAP | (uint64_t)(offset) << PAGEMAP_TYPE_BITS)

static const struct compare_case {
	const char *name;
	uint64_t parent, child;
	enum cow_class class;
} compare_cases[] = {
	{ "nothing in both", 0, 0, COW_NONE },
	{ "one frame", ANON(7), ANON(7), COW_SHARED },
	{ "one frame, exclusive bits aside", ANON(7) | PAGEMAP_EXCLUSIVE, ANON(7), COW_SHARED },
	{ "soft-dirty is no difference", ANON(7) | PAGEMAP_SOFT_DIRTY, ANON(7), COW_SHARED },
	{ "a frame each", ANON(7), ANON(8), COW_DIFFERENT },
	{ "the parent alone", ANON(7), 0, COW_PARENT_NEW },
	{ "the child alone", 0, ANON(7), COW_CHILD_NEW },
	{ "the parent's own of a file", ANON(7), FILED(9), COW_PARENT_NEW },
	{ "the child's own of a file", FILED(9), ANON(7), COW_CHILD_NEW },
	{ "a file", FILED(9), FILED(9), COW_FILE },
	{ "a file in one", FILED(9), 0, COW_NONE },
	{ "one slot", SWAP(5), SWAP(5), COW_SHARED_SWAP },
	{ "a slot each", SWAP(5), SWAP(6), COW_UNDECIDED },
	{ "slots are hidden", SWAP(0), SWAP(0), COW_UNDECIDED },
	{ "swapped in the parent", SWAP(5), ANON(7), COW_UNDECIDED },
	{ "swapped in the child, gone in the parent", 0, SWAP(5), COW_UNDECIDED },
	{ "guard", PAGEMAP_SWAP | PAGEMAP_GUARD, ANON(7), COW_CHILD_NEW },
};

static void compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(compare_cases); i++) {
		const struct compare_case *c = &compare_cases[i];

		CHECK(c->name, cow_compare((struct cow_page){ c->parent, false },
					   (struct cow_page){ c->child, false }) == c->class);
	}
}

static void who(void **state)
{
	const uint64_t mark = PAGE_FLAG(OWNER_2), other = PAGE_FLAG(ANON) | PAGE_FLAG(LRU);

	(void)state;
	assert_int_equal(cow_who(mark | other, other), COW_PARENT_COPIED);
	assert_int_equal(cow_who(other, mark | other), COW_CHILD_COPIED);
	assert_int_equal(cow_who(mark, mark), COW_EITHER_COPIED);
	assert_int_equal(cow_who(0, 0), COW_EITHER_COPIED);
}

static void huge(void **state)
{
	const struct cow_page whole = { ANON(512), true }, part = { ANON(512), false };
	const struct cow_page another = { ANON(1024), true }, none = { 0, false };
	const struct cow_page file = { FILED(512), true };

	(void)state;
	assert_int_equal(cow_huge(whole, whole), COW_NONE);
	assert_int_equal(cow_huge(whole, part), COW_CHILD_SPLIT);
	assert_int_equal(cow_huge(part, whole), COW_PARENT_SPLIT);
	assert_int_equal(cow_huge(whole, another), COW_HUGE_COPIED);
	assert_int_equal(cow_huge(part, part), COW_NONE);
	assert_int_equal(cow_huge(whole, none), COW_NONE);
	assert_int_equal(cow_huge(file, part), COW_NONE);
}

static void sums(void **state)
{
	struct cow_tally a = { .pages = { [COW_SHARED] = 3, [COW_FILE] = 1 }, .worst = 2 };
	const struct cow_tally b = { .pages = { [COW_SHARED] = 4, [COW_UNDECIDED] = 5 },
				     .worst = 4 };

	(void)state;
	cow_tally_merge(&a, &b);
	assert_int_equal(a.pages[COW_SHARED], 7);
	assert_int_equal(a.pages[COW_FILE], 1);
	assert_int_equal(a.pages[COW_UNDECIDED], 5);
	assert_int_equal(a.worst, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compare),
		cmocka_unit_test(who),
		cmocka_unit_test(huge),
		cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests_name("cow", tests, NULL, NULL);
}
