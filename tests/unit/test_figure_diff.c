/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two sources of a mapping's figures, held against each other. */
#include "analysis/figure_diff.h"

#include <string.h>

#include "unit.h"

static struct figure_diff last;
static size_t calls;

static void take(void *ctx, const struct figure_diff *diff)
{
	(void)ctx;
	last = *diff;
	calls++;
}

#define SLOT(name) (1ULL << SMAPS_##name)

static struct vma with(uint64_t rss, uint64_t dirty)
{
	struct vma vma = { .start = 0x1000,
			   .end = 0x9000,
			   .have = SLOT(RSS) | SLOT(PRIVATE_DIRTY) };

	vma.field[SMAPS_RSS] = rss;
	vma.field[SMAPS_PRIVATE_DIRTY] = dirty;
	return vma;
}

static void run(const struct vma *before, const struct vma *pages, const struct vma *after,
		struct figure_tally *tally)
{
	const struct figure_readings readings = { before, pages, after };
	static struct smaps_keys keys; /* its names are in what is taken */

	smaps_keys_init(&keys);
	memset(tally, 0, sizeof(*tally));
	calls = 0;
	figure_diff(&readings, &keys, tally, take, NULL);
}

static void test_equal(void **state)
{
	struct vma smaps = with(4096, 0), later = with(8192, 0), pages = smaps;
	struct figure_tally tally;

	(void)state;
	run(&smaps, &pages, &smaps, &tally);
	assert_true(tally.mappings == 1 && tally.figures == 2 && tally.equal == 2 && !calls);
	/* the pages were read after it had changed */
	pages = later;
	run(&smaps, &pages, &later, &tally);
	assert_true(tally.equal == 2 && !calls);
}

static void test_reasons(void **state)
{
	struct vma smaps = with(4096, 0), later = with(16384, 0), pages = with(8192, 0);
	struct figure_tally tally;

	(void)state;
	run(&smaps, &pages, &smaps, &tally);
	assert_true(calls == 1 && tally.unexplained == 1 && tally.equal == 1);
	assert_null(last.reason);
	assert_string_equal(last.field, "rss");
	assert_true(last.smaps == 4096 && last.pages == 8192 && last.vma == &pages);
	run(&smaps, &pages, &later, &tally);
	assert_true(tally.explained == 1 && !tally.unexplained);
	assert_string_equal(last.reason, "changed meanwhile");
	/* an estimate explains its own field alone */
	pages = with(4096, 4096);
	pages.estimated = SLOT(PRIVATE_DIRTY);
	run(&smaps, &pages, &smaps, &tally);
	assert_true(tally.explained == 1 && !tally.unexplained);
	assert_string_equal(last.reason, "estimate: dirty bits are not shown");
	pages = with(8192, 0);
	pages.estimated = SLOT(PRIVATE_DIRTY);
	run(&smaps, &pages, &smaps, &tally);
	assert_true(tally.unexplained == 1);
}

/* What pages do not tell is counted; what smaps itself does not know is nothing to compare. */
static void test_untold(void **state)
{
	struct vma smaps = with(4096, 0), pages = with(4096, 0);
	struct figure_tally tally;

	(void)state;
	smaps.have |= SLOT(REFERENCED);
	pages.have |= SLOT(KSM);
	run(&smaps, &pages, &smaps, &tally);
	assert_true(tally.figures == 2 && tally.untold[SMAPS_REFERENCED] == 1);
	assert_true(!tally.untold[SMAPS_KSM] && !calls);
}

/* private_clean known too: private is a sum, exact though both its parts are estimates. */
static void test_sums(void **state)
{
	struct vma smaps = with(8192, 4096), pages = with(8192, 8192);
	struct figure_tally tally;

	(void)state;
	smaps.have |= SLOT(PRIVATE_CLEAN);
	pages.have |= SLOT(PRIVATE_CLEAN);
	smaps.field[SMAPS_PRIVATE_CLEAN] = 4096;
	pages.estimated = SLOT(PRIVATE_CLEAN) | SLOT(PRIVATE_DIRTY);
	run(&smaps, &pages, &smaps, &tally);
	assert_true(tally.explained == 2 && tally.unexplained == 0);
	/* rss, uss and private */
	assert_true(tally.equal == 3 && tally.figures == 5);
	pages.field[SMAPS_PRIVATE_DIRTY] = 12288;
	run(&smaps, &pages, &smaps, &tally);
	assert_true(tally.unexplained == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_untold),
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
