/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why pages fault: from what the fault tells, and what the page was before. */
#include "analysis/fault_pages.h"
#include "model/page.h"
#include "model/vma.h"
#include "unit.h"

#define PAGE 4096ull
#define HUGE (512 * PAGE)
#define START (64 * HUGE)
#define READ (FAULT_KNOWS_PRESENT | FAULT_KNOWS_WRITE)
#define WRITE (READ | FAULT_WRITE)
#define ON_PRESENT FAULT_PRESENT
#define RW (VMA_READ | VMA_WRITE)

/* What the walk sees of a page: pagemap words. */
#define EMPTY 0ull
#define ALONE (PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 100)
#define SHARED (PAGEMAP_PRESENT | 100)
#define ANOTHER (PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 200)
#define FILE_PAGE (PAGEMAP_PRESENT | PAGEMAP_FILE | 100)
#define SWAPPED (PAGEMAP_SWAP | 64)
#define GUARDED (ALONE | PAGEMAP_UFFD_WP)
#define ZERO (PAGEMAP_PRESENT | 7)
#define ZERO_PFN 7

enum {
	ANON = FAULT_BACKING_ANON,
	COPY = FAULT_BACKING_PRIVATE_FILE,
	FILE_ = FAULT_BACKING_SHARED_FILE,
	SHM = FAULT_BACKING_SHARED_MEMORY
};

/* One fault at a page that the walk saw so; after is what it is then, where that is looked at. */
static const struct judge_case {
	const char *name;
	int backing;
	uint64_t before;
	unsigned bits;
	uint64_t after;
	enum fault_reason want;
	bool forked, no_upgrade, swapping;
} cases[] = {
	/* clang-format off */
	{ "first write", ANON, EMPTY, WRITE, ALONE, FAULT_FIRST_TOUCH },
	{ "first read", ANON, EMPTY, READ, ZERO, FAULT_ZERO },
	{ "write after read", ANON, ZERO, WRITE | ON_PRESENT, ALONE, FAULT_ZERO_WRITE },
	{ "given back", ANON, ALONE, WRITE, ANOTHER, FAULT_AGAIN },
	{ "given back, read", ANON, ALONE, READ, ZERO, FAULT_AGAIN },
	{ "given back, or swapped out", ANON, ALONE, WRITE, ANOTHER, FAULT_OTHER, .swapping = true },
	{ "copied", ANON, SHARED, WRITE | ON_PRESENT, ANOTHER, FAULT_COW },
	{ "shared, but the other was gone", ANON, SHARED, WRITE | ON_PRESENT, ALONE, FAULT_COW_REUSE },
	{ "gone again", ANON, SHARED, WRITE | ON_PRESENT, EMPTY, FAULT_COW_EITHER },
	{ "forked, copied", ANON, ALONE, WRITE | ON_PRESENT, ANOTHER, FAULT_COW, .forked = true },
	{ "forked, taken over", ANON, ALONE, WRITE | ON_PRESENT, ALONE, FAULT_COW_REUSE, .forked = true },
	{ "shared by a fork before", ANON, ALONE, WRITE | ON_PRESENT, ALONE, FAULT_COW_REUSE },
	{ "the same, or mprotect", ANON, ALONE, WRITE | ON_PRESENT, ALONE, FAULT_OTHER, .no_upgrade = true },
	{ "merged by KSM meanwhile", ANON, ALONE, WRITE | ON_PRESENT, ANOTHER, FAULT_COW },
	{ "userfaultfd", ANON, GUARDED, WRITE | ON_PRESENT, ALONE, FAULT_PROTECT },
	{ "there, read", ANON, ALONE, READ | ON_PRESENT, ALONE, FAULT_PROTECT },
	{ "there, but the walk had not seen it", ANON, EMPTY, WRITE | ON_PRESENT, ALONE, FAULT_OTHER },
	{ "swapped out", ANON, SWAPPED, WRITE, ALONE, FAULT_SWAP },
	{ "file", COPY, EMPTY, READ, FILE_PAGE, FAULT_FILE },
	{ "file, written", COPY, EMPTY, WRITE, ALONE, FAULT_FILE_COPY },
	{ "file, read before", COPY, FILE_PAGE, WRITE | ON_PRESENT, ALONE, FAULT_FILE_COPY },
	{ "file, mapped with a neighbour", COPY, EMPTY, WRITE | ON_PRESENT, ALONE, FAULT_FILE_COPY },
	{ "copy of a file, forked", COPY, SHARED, WRITE | ON_PRESENT, ANOTHER, FAULT_COW },
	{ "copy of a file, swapped", COPY, SWAPPED, READ, ALONE, FAULT_SWAP },
	{ "shared file", FILE_, EMPTY, READ, FILE_PAGE, FAULT_FILE },
	{ "shared file, clean", FILE_, EMPTY, WRITE | ON_PRESENT, FILE_PAGE, FAULT_FILE_WRITE },
	{ "shared memory", SHM, EMPTY, WRITE, FILE_PAGE, FAULT_SHARED_MEMORY },
	{ "shared memory, there", SHM, EMPTY, WRITE | ON_PRESENT, FILE_PAGE, FAULT_PROTECT },
	{ "no mapping", FAULT_BACKING_NONE, EMPTY, WRITE, EMPTY, FAULT_FAILED },
	{ "nothing known", ANON, EMPTY, 0, ALONE, FAULT_OTHER },
	{ "pool", FAULT_BACKING_HUGETLB, EMPTY, WRITE, ALONE, FAULT_HUGE },
	{ "device", FAULT_BACKING_OTHER, EMPTY, WRITE, ALONE, FAULT_OTHER },
	/* only whether the page was there is known */
	{ "touched, written", ANON, EMPTY, FAULT_KNOWS_PRESENT, ALONE, FAULT_FIRST_TOUCH },
	{ "touched, read", ANON, EMPTY, FAULT_KNOWS_PRESENT, ZERO, FAULT_ZERO },
	{ "touched, gone", ANON, EMPTY, FAULT_KNOWS_PRESENT, EMPTY, FAULT_OTHER },
	{ "there, so written", ANON, SHARED, FAULT_KNOWS_PRESENT | ON_PRESENT, ANOTHER, FAULT_COW },
	{ "file, read or written", COPY, EMPTY, FAULT_KNOWS_PRESENT, FILE_PAGE, FAULT_FILE },
	{ "file, written or read", COPY, EMPTY, FAULT_KNOWS_PRESENT, ALONE, FAULT_FILE_COPY },
	/* clang-format on */
};

static struct page_span span_of(const uint64_t *word, uint8_t mapped)
{
	return (struct page_span){ .start = START, .pages = 1, .words = word, .mapped = mapped };
}

static void init(struct fault_pages *pages)
{
	fault_pages_init(pages, PAGE, 0);
	pages->upgrades = true;
	pages->walked = 10;
}

static struct fault_place place_of(int backing)
{
	return (struct fault_place){ (enum fault_backing)backing, RW, true, START, START + HUGE };
}

static enum fault_reason judge(struct fault_pages *pages, const struct judge_case *one)
{
	const struct fault_place place = place_of(one->backing);
	const struct fault_event event = { .addr = START + 5, .bits = one->bits, .time = 20 };
	struct page_span after = span_of(&one->after, PAGE_MAPPED_PTE);
	struct fault_verdict verdict = fault_pages_judge(pages, &event, &place);

	return fault_pages_settle(pages, event.addr, &verdict, one->after ? &after : NULL, 0,
				  ZERO_PFN);
}

static void test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct judge_case *one = &cases[i];
		struct page_span before = span_of(&one->before, PAGE_MAPPED_PTE);
		struct fault_pages pages;
		enum fault_reason got;

		init(&pages);
		pages.upgrades = !one->no_upgrade;
		pages.swapping = one->swapping;
		fault_pages_see(&pages, &before, ZERO_PFN, 10);
		if (one->forked)
			fault_pages_fork(&pages);
		got = judge(&pages, one);
		if (got != one->want)
			print_error("case '%s': %s, not %s\n", one->name, fault_reasons[got].code,
				    fault_reasons[one->want].code);
		assert_int_equal(got, one->want);
		fault_pages_fini(&pages);
	}
}

static enum fault_reason fault_at(struct fault_pages *pages, uint64_t addr, unsigned bits,
				  uint64_t time)
{
	const struct fault_place place = place_of(ANON);
	const struct fault_event event = { .addr = addr, .bits = bits, .time = time };

	return fault_pages_judge(pages, &event, &place).reason;
}

/* What happened before the walk saw the page is no sign that it was given back. */
static void test_walk_came_later(void **state)
{
	const uint64_t word = ALONE;
	struct page_span seen = span_of(&word, PAGE_MAPPED_PTE);
	struct fault_pages pages;

	(void)state;
	init(&pages);
	fault_pages_see(&pages, &seen, 0, 10);
	assert_int_equal(fault_at(&pages, START, WRITE, 5), FAULT_FIRST_TOUCH);
	assert_int_equal(fault_at(&pages, START, WRITE | ON_PRESENT, 5), FAULT_OTHER);
	assert_int_equal(fault_at(&pages, START, WRITE, 15), FAULT_AGAIN);
	fault_pages_fini(&pages);
}

/* A life: touched, given back, read, written, forked 600 times. */
static void test_history(void **state)
{
	struct fault_pages pages;

	(void)state;
	init(&pages);
	assert_int_equal(fault_at(&pages, START, WRITE, 20), FAULT_FIRST_TOUCH);
	assert_int_equal(fault_at(&pages, START, WRITE | ON_PRESENT, 21), FAULT_PROTECT);
	assert_int_equal(fault_at(&pages, START, READ, 22), FAULT_AGAIN);
	assert_int_equal(fault_at(&pages, START, WRITE | ON_PRESENT, 23), FAULT_ZERO_WRITE);
	for (unsigned i = 0; i < 600; i++)
		fault_pages_fork(&pages);
	assert_int_equal(fault_at(&pages, START, WRITE | ON_PRESENT, 24), FAULT_COW_EITHER);
	assert_int_equal(fault_at(&pages, START, WRITE | ON_PRESENT, 25), FAULT_PROTECT);
	fault_pages_forget(&pages);
	assert_int_equal(fault_at(&pages, START, WRITE, 26), FAULT_FIRST_TOUCH);
	fault_pages_fini(&pages);
}

/* The first fault in a slot may bring all of its pages. */
static void test_huge(void **state)
{
	const struct fault_place place = { FAULT_BACKING_ANON, RW, true, START, START + 2 * HUGE };
	const struct fault_event event = { .addr = START + 9 * PAGE, .bits = WRITE, .time = 20 };
	struct page_span span = {
		.start = START, .pages = 512, .word = ALONE, .mapped = PAGE_MAPPED_PMD
	};
	struct fault_verdict verdict;
	struct fault_pages pages;

	(void)state;
	fault_pages_init(&pages, PAGE, HUGE);
	verdict = fault_pages_judge(&pages, &event, &place);
	assert_int_equal(verdict.check, FAULT_CHECK_HUGE);
	assert_int_equal(fault_pages_settle(&pages, event.addr, &verdict, &span, 9, 0), FAULT_HUGE);
	assert_int_equal(fault_at(&pages, START + 300 * PAGE, WRITE, 21), FAULT_AGAIN);
	/* not where the mapping ends within the slot, nor for the second page there */
	assert_int_equal(fault_pages_judge(&pages,
					   &(struct fault_event){ .addr = START + 3 * HUGE,
								  .bits = WRITE,
								  .time = 22 },
					   &place)
				 .check,
			 FAULT_CHECK_NONE);
	verdict = fault_pages_judge(
		&pages, &(struct fault_event){ .addr = START + HUGE, .bits = WRITE, .time = 23 },
		&place);
	assert_int_equal(verdict.check, FAULT_CHECK_HUGE);
	span.mapped = PAGE_MAPPED_PTE;
	assert_int_equal(fault_pages_settle(&pages, START + HUGE, &verdict, &span, 0, 0),
			 FAULT_FIRST_TOUCH);
	assert_int_equal(fault_pages_judge(&pages,
					   &(struct fault_event){ .addr = START + HUGE + PAGE,
								  .bits = WRITE,
								  .time = 24 },
					   &place)
				 .check,
			 FAULT_CHECK_NONE);
	fault_pages_fini(&pages);
}

static void test_major(void **state)
{
	static const struct {
		int backing;
		enum fault_reason taken_for, want;
	} majors[] = {
		{ ANON, FAULT_FIRST_TOUCH, FAULT_SWAP },
		{ ANON, FAULT_OTHER, FAULT_SWAP },
		{ COPY, FAULT_FILE, FAULT_DISK },
		{ COPY, FAULT_FILE_COPY, FAULT_DISK },
		{ COPY, FAULT_COW, FAULT_SWAP },
		{ FILE_, FAULT_FILE, FAULT_DISK },
		{ SHM, FAULT_SHARED_MEMORY, FAULT_SWAP },
		{ FAULT_BACKING_OTHER, FAULT_OTHER, FAULT_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(majors); i++) {
		const struct fault_place place = place_of(majors[i].backing);

		assert_int_equal(fault_reason_of_major(majors[i].taken_for, &place),
				 majors[i].want);
	}
}

static void test_refused(void **state)
{
	struct fault_place place = { FAULT_BACKING_ANON, VMA_READ, true, START, START + HUGE };
	struct fault_event event = { .addr = START, .bits = WRITE | ON_PRESENT, .time = 20 };
	struct fault_pages pages;

	(void)state;
	init(&pages);
	assert_int_equal(fault_pages_judge(&pages, &event, &place).reason, FAULT_FAILED);
	event.bits = READ | FAULT_EXEC;
	assert_int_equal(fault_pages_judge(&pages, &event, &place).reason, FAULT_FAILED);
	place.perm = 0;
	event.bits = READ;
	assert_int_equal(fault_pages_judge(&pages, &event, &place).reason, FAULT_FAILED);
	event.bits = FAULT_KNOWS_PRESENT;
	assert_int_equal(fault_pages_judge(&pages, &event, &place).reason, FAULT_FAILED);
	fault_pages_fini(&pages);
}

/* Without a walk only what the fault itself tells is certain. */
static void test_blind(void **state)
{
	struct fault_pages pages;

	(void)state;
	init(&pages);
	pages.blind = true;
	assert_int_equal(fault_at(&pages, START, WRITE, 5), FAULT_OTHER);
	assert_int_equal(fault_at(&pages, START, WRITE, 6), FAULT_AGAIN);
	fault_pages_fini(&pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons), cmocka_unit_test(test_walk_came_later),
		cmocka_unit_test(test_history), cmocka_unit_test(test_huge),
		cmocka_unit_test(test_major),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_blind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
