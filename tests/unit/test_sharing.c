/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/sharing.h"

#include <stdlib.h>

#include "analysis/sharing_pairs.h"
#include "unit.h"

#define ANON (1u << SHARE_ANON)
#define EVERY ((1u << SHARE_KINDS) - 1)

/* The frames of exactly these processes (rising), or 0. */
static uint64_t group_of(const struct sharing *sharing, const uint32_t *members, uint32_t size)
{
	size_t count;
	struct sharing_group *groups = sharing_groups(sharing, &count);
	uint32_t *got = calloc(sharing_process_count(sharing) + 1, sizeof(*got));
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		if (groups[i].size != size || !groups[i].set)
			continue;
		sharing_members(sharing, &groups[i], got);
		if (memcmp(got, members, size * sizeof(*got)) == 0) {
			assert_int_equal(total, 0); /* each set of processes is one group */
			total = groups[i].total;
		}
	}
	free(groups);
	free(got);
	return total;
}

#define GROUP(sharing, ...) \
	group_of(sharing, (const uint32_t[]){ __VA_ARGS__ }, \
		 sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static uint64_t pair_of(const struct sharing *sharing, uint32_t a, uint32_t b)
{
	struct sharing_pairs pairs;
	uint64_t total = 0;

	sharing_pairs_make(sharing, SIZE_MAX / 256, &pairs);
	assert_int_equal(pairs.count, pairs.all);
	for (size_t i = 0; i < pairs.count; i++)
		if (pairs.pair[i].a == a && pairs.pair[i].b == b)
			total = pairs.pair[i].total;
	sharing_pairs_free(&pairs);
	return total;
}

/* What holds of every finished join, whatever was put in. */
static void check_identities(const struct sharing *sharing)
{
	const struct sharing_total *total = sharing_total(sharing);
	uint64_t groups_sum = 0, mapped = 0, only = 0, larger = 0;
	size_t count;
	struct sharing_group *groups = sharing_groups(sharing, &count);

	sharing_groups_sort(groups, count, 3);
	for (size_t i = 1; i < count; i++)
		assert_true(groups[i].total <= groups[i < 3 ? i - 1 : 2].total);
	sharing_groups_sort(groups, count, SIZE_MAX);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(groups[i].total, share_sum(groups[i].frames));
		assert_true(i == 0 || groups[i].total <= groups[i - 1].total);
		groups_sum += groups[i].total;
		larger += groups[i].size == 1 ? 0 : groups[i].total;
	}
	free(groups);
	for (uint32_t i = 0; i < sharing_process_count(sharing); i++) {
		const struct sharing_process *process = sharing_process(sharing, i);

		mapped += share_sum(process->mapped);
		only += share_sum(process->only);
		assert_true(share_sum(process->only) >= share_sum(process->exclusive));
		assert_true(share_sum(process->frames) >= share_sum(process->only));
		assert_true(share_sum(process->mapped) >= share_sum(process->frames));
	}
	assert_int_equal(groups_sum, share_sum(total->footprint));
	assert_int_equal(only + larger, share_sum(total->footprint));
	assert_int_equal(mapped, share_sum(total->mapped));
}

/* A family as after fork: 0 is the parent, 1 and 2 copied some. */
static void sets_pairs_and_groups(void **state)
{
	struct sharing *sharing = sharing_new(0);

	(void)state;
	assert_int_equal(sharing_begin(sharing), 0);
	sharing_add(sharing, 1000, 90, SHARE_ANON, false);
	sharing_add(sharing, 5000, 10, SHARE_ANON, true);
	assert_int_equal(sharing_begin(sharing), 1);
	sharing_add(sharing, 1000, 50, SHARE_ANON, false);
	sharing_add(sharing, 9000, 7, SHARE_ANON, true);
	assert_int_equal(sharing_begin(sharing), 2);
	sharing_add(sharing, 1020, 70, SHARE_ANON, false);
	sharing_add(sharing, 20000, 5, SHARE_SHM, false); /* shared with a stranger to the join */
	assert_int_equal(sharing_begin(sharing), 3); /* nothing */
	sharing_finish(sharing);

	assert_int_equal(GROUP(sharing, 0, 1), 20);
	assert_int_equal(GROUP(sharing, 0, 1, 2), 30);
	assert_int_equal(GROUP(sharing, 0, 2), 40);
	assert_int_equal(GROUP(sharing, 1, 2), 0);
	assert_int_equal(GROUP(sharing, 0), 10);
	assert_int_equal(GROUP(sharing, 1), 7);
	assert_int_equal(GROUP(sharing, 2), 5);
	assert_int_equal(GROUP(sharing, 3), 0);
	assert_int_equal(pair_of(sharing, 0, 1), 50);
	assert_int_equal(pair_of(sharing, 0, 2), 70);
	assert_int_equal(pair_of(sharing, 1, 2), 30);
	assert_int_equal(pair_of(sharing, 0, 3), 0);
	assert_int_equal(share_sum(sharing_process(sharing, 0)->mapped), 100);
	assert_int_equal(share_sum(sharing_process(sharing, 2)->only), 5);
	assert_int_equal(share_sum(sharing_process(sharing, 2)->exclusive), 0);
	assert_int_equal(sharing_total(sharing)->footprint[SHARE_ANON], 107);
	assert_int_equal(sharing_total(sharing)->footprint[SHARE_SHM], 5);
	assert_true(sharing_is_exact(sharing));
	check_identities(sharing);
	sharing_free(sharing);
}

/* The kind is the frame's: of its first page, or what the flags say later. */
static void kinds_apart(void **state)
{
	struct sharing *sharing = sharing_new(0);
	struct sharing_pairs pairs;

	(void)state;
	for (unsigned process = 0; process < 2; process++) {
		sharing_begin(sharing);
		sharing_add(sharing, 100, 4, SHARE_ANON, false);
		sharing_add(sharing, 200, 3, SHARE_FILE, false);
		sharing_add(sharing, 300, 2, SHARE_SHM, false);
		sharing_add(sharing, 1024, 512, SHARE_HUGETLB, false);
	}
	sharing_set_kind(sharing, 101, SHARE_KSM);
	sharing_set_kind(sharing, 150, SHARE_KSM); /* not in the join: nothing */
	sharing_finish(sharing);
	assert_int_equal(GROUP(sharing, 0, 1), 521);
	sharing_pairs_make(sharing, 1, &pairs);
	assert_int_equal(pairs.count, 1);
	assert_int_equal(pairs.pair[0].frames[SHARE_ANON], 3);
	assert_int_equal(pairs.pair[0].frames[SHARE_KSM], 1);
	assert_int_equal(pairs.pair[0].frames[SHARE_FILE], 3);
	assert_int_equal(pairs.pair[0].frames[SHARE_SHM], 2);
	assert_int_equal(pairs.pair[0].frames[SHARE_HUGETLB], 512);
	assert_int_equal(sharing_process(sharing, 1)->frames[SHARE_KSM], 1);
	sharing_pairs_free(&pairs);
	check_identities(sharing);
	sharing_free(sharing);
}

/* A frame that one process maps twice is one frame of the same group as one that it maps once. */
static void mapped_twice(void **state)
{
	struct sharing *sharing = sharing_new(0);

	(void)state;
	sharing_begin(sharing);
	sharing_add(sharing, 10, 4, SHARE_FILE, false);
	sharing_add(sharing, 10, 2, SHARE_FILE, false);
	sharing_add(sharing, 10, 1, SHARE_FILE, false);
	sharing_begin(sharing);
	sharing_add(sharing, 10, 4, SHARE_FILE, false);
	sharing_add(sharing, 11, 1, SHARE_FILE, false);
	for (uint64_t pfn = 10; pfn < 14; pfn++) /* mapped 4 3 2 2 times by these */
		sharing_set_map_count(sharing, pfn, pfn == 13 ? 4 : 4 - (pfn > 11) * 2u);
	sharing_finish(sharing);
	assert_int_equal(GROUP(sharing, 0, 1), 4);
	assert_int_equal(share_sum(sharing_process(sharing, 0)->mapped), 7);
	assert_int_equal(share_sum(sharing_process(sharing, 0)->frames), 4);
	/* frames 10: 3 + 1 of 4, 11: 2 + 2 of 4, 12: 1 + 1 of 2, 13: 1 + 1 of 4 */
	assert_int_equal(sharing_total(sharing)->closed[SHARE_FILE], 3);
	assert_int_equal(sharing_total(sharing)->uncounted[SHARE_FILE], 0);
	assert_float_equal(sharing_process(sharing, 0)->pss, 0.75 + 0.5 + 0.5 + 0.25, 1e-9);
	assert_float_equal(sharing_process(sharing, 1)->pss, 0.25 + 0.5 + 0.5 + 0.25, 1e-9);
	assert_float_equal(sharing_total(sharing)->pss, 3.5, 1e-9);
	check_identities(sharing);
	sharing_free(sharing);
}

/* Where pagemap does not say of a frame that it is mapped once, its map count does. */
static void once_by_count(void **state)
{
	struct sharing *sharing = sharing_new(0);

	(void)state;
	sharing_begin(sharing);
	sharing_add(sharing, 512, 4, SHARE_ANON, false);
	sharing_add(sharing, 9000, 3, SHARE_ANON, true);
	sharing_begin(sharing);
	sharing_add(sharing, 512, 2, SHARE_ANON, false);
	/* two by both, one by a stranger too, one by 0 alone */
	for (uint64_t pfn = 512; pfn < 516; pfn++)
		sharing_set_map_count(sharing, pfn, pfn == 515 ? 1 : 2);
	sharing_finish(sharing);
	assert_int_equal(sharing_uss(sharing_process(sharing, 0)), 3 + 1);
	assert_int_equal(sharing_uss(sharing_process(sharing, 1)), 0);
	assert_int_equal(share_sum(sharing_process(sharing, 0)->only), 3 + 2);
	assert_int_equal(sharing_total(sharing)->closed[SHARE_ANON], 3 + 2 + 1);
	check_identities(sharing);
	sharing_free(sharing);
}

/* More often than is counted: the frame is still one, but whether others map it is not told. */
static void mapped_very_often(void **state)
{
	struct sharing *sharing = sharing_new(0);

	(void)state;
	sharing_begin(sharing);
	for (unsigned i = 0; i < 5000; i++)
		sharing_add(sharing, 77, 1, SHARE_KSM, false);
	sharing_set_map_count(sharing, 77, 5000);
	sharing_finish(sharing);
	assert_int_equal(GROUP(sharing, 0), 1);
	assert_int_equal(sharing_process(sharing, 0)->mapped[SHARE_KSM], 5000);
	assert_int_equal(sharing_total(sharing)->footprint[SHARE_KSM], 1);
	assert_int_equal(sharing_total(sharing)->closed[SHARE_KSM], 0);
	assert_int_equal(sharing_total(sharing)->uncounted[SHARE_KSM], 1);
	sharing_free(sharing);
}

/* A huge page whose parts one process maps page by page, over the borders of leaves. */
static void huge_pages_and_parts(void **state)
{
	struct sharing *sharing = sharing_new(0);
	uint64_t pfn = 0;

	(void)state;
	sharing_begin(sharing);
	sharing_add(sharing, 512 * 1000, 1024, SHARE_ANON, false);
	sharing_begin(sharing);
	for (uint64_t i = 0; i < 1024; i += 2)
		sharing_add(sharing, 512 * 1000 + i, 1, SHARE_ANON, false);
	assert_int_equal(sharing_next_frames(sharing, ANON, &pfn), 1024);
	assert_int_equal(pfn, 512 * 1000);
	sharing_set_kind(sharing, 512 * 1000 + 600, SHARE_KSM);
	assert_int_equal(sharing_next_frames(sharing, ANON, &pfn), 600);
	pfn += 600;
	assert_int_equal(sharing_next_frames(sharing, ANON, &pfn), 423);
	assert_int_equal(pfn, 512 * 1000 + 601);
	pfn += 423;
	assert_int_equal(sharing_next_frames(sharing, EVERY, &pfn), 0);
	sharing_finish(sharing);
	assert_int_equal(GROUP(sharing, 0, 1), 512);
	assert_int_equal(GROUP(sharing, 0), 512);
	check_identities(sharing);
	sharing_free(sharing);
}

/* What a torn reading put in goes away without a trace; the next process is not confused. */
static void dropped(void **state)
{
	struct sharing *sharing = sharing_new(0);
	enum share_kind kind;

	(void)state;
	sharing_begin(sharing);
	sharing_add(sharing, 100, 10, SHARE_ANON, false);
	sharing_begin(sharing);
	sharing_add(sharing, 105, 10, SHARE_FILE, false);
	sharing_add(sharing, 105, 2, SHARE_ANON, false);
	sharing_add(sharing, 900, 10, SHARE_ANON, true);
	sharing_drop(sharing);
	assert_int_equal(sharing_set_of(sharing, 112, &kind), 0);
	sharing_add(sharing, 100, 3, SHARE_ANON, false);
	sharing_begin(sharing);
	sharing_add(sharing, 100, 1, SHARE_ANON, false);
	sharing_finish(sharing);
	assert_int_equal(GROUP(sharing, 0, 1, 2), 1);
	assert_int_equal(GROUP(sharing, 0, 1), 2);
	assert_int_equal(GROUP(sharing, 0), 7);
	assert_int_equal(share_sum(sharing_process(sharing, 1)->mapped), 3);
	assert_int_equal(share_sum(sharing_total(sharing)->footprint), 10);
	assert_int_not_equal(sharing_set_of(sharing, 101, &kind), 0);
	assert_int_equal(kind, SHARE_ANON);
	check_identities(sharing);
	sharing_free(sharing);
}

/*
 * Every frame its own set, over the cap: what each has, alone and together, stays exact, and what
 * is not is marked.
 */
static void over_the_cap(void **state)
{
	struct sharing *sharing = sharing_new(8);
	uint64_t pairs_sum = 0;
	struct sharing_pairs pairs;

	(void)state;
	for (uint32_t process = 0; process < 8; process++) {
		sharing_begin(sharing);
		for (uint64_t frame = 0; frame < 256; frame++)
			if (frame >> process & 1)
				sharing_add(sharing, 4096 + frame, 1, SHARE_ANON, false);
		sharing_add(sharing, 9000 + 10 * process, 5, SHARE_ANON, true);
	}
	for (uint64_t frame = 0; frame < 256; frame++)
		sharing_set_map_count(sharing, 4096 + frame, (unsigned)__builtin_popcountll(frame));
	sharing_finish(sharing);
	assert_false(sharing_is_exact(sharing));
	assert_int_equal(sharing_total(sharing)->sets, 8 + 8);
	assert_int_equal(sharing_total(sharing)->footprint[SHARE_ANON], 255 + 40);
	assert_int_equal(sharing_total(sharing)->closed[SHARE_ANON], 255 + 40);
	/* 255 frames, 8 of one process alone; the sets that there was room for have 1 frame each,
	 * the others are in crowds */
	assert_in_range(sharing_total(sharing)->crowded[SHARE_ANON], 200, 255 - 8);
	for (uint32_t process = 0; process < 8; process++) {
		const struct sharing_process *got = sharing_process(sharing, process);

		assert_int_equal(share_sum(got->mapped), 128 + 5);
		assert_int_equal(share_sum(got->only), 1 + 5);
		assert_int_equal(share_sum(got->frames) + got->crowded, 128 + 5);
	}
	assert_float_equal(sharing_total(sharing)->pss, 255 + 40, 1e-6);
	sharing_pairs_make(sharing, 1000, &pairs);
	for (size_t i = 0; i < pairs.count; i++)
		pairs_sum += pairs.pair[i].total;
	assert_true(pairs_sum < 28 * 64); /* each pair has 64 in truth */
	sharing_pairs_free(&pairs);
	check_identities(sharing);
	sharing_free(sharing);
}

enum { FAR_APART = 1000, FAR_STEP = 100003 };

/* Frames all over the machine, in one call and one by one: they are found again, in rising order. */
static void far_apart(void **state)
{
	struct sharing *sharing = sharing_new(0);
	struct sharing_run runs[FAR_APART + 1];
	uint64_t pfn = 0;

	(void)state;
	for (uint64_t i = 0; i < FAR_APART; i++)
		runs[i] = (struct sharing_run){ i * FAR_STEP, 1, SHARE_FILE, false };
	/* over the border of two leaves */
	runs[FAR_APART] = (struct sharing_run){ 64 * 1001 - 3, 10, SHARE_FILE, false };
	sharing_begin(sharing);
	sharing_add_runs(sharing, runs, FAR_APART + 1);
	sharing_begin(sharing);
	for (uint64_t i = FAR_APART; i-- > 0;)
		sharing_add(sharing, i * FAR_STEP, 1, SHARE_FILE, false);
	for (uint64_t i = 0; i < FAR_APART; i++, pfn++) {
		assert_int_equal(sharing_next_frames(sharing, EVERY, &pfn), 1);
		assert_int_equal(pfn, i * FAR_STEP);
		if (i)
			continue;
		pfn++;
		assert_int_equal(sharing_next_frames(sharing, EVERY, &pfn), 10);
		assert_int_equal(pfn, 64 * 1001 - 3);
		pfn += 9;
	}
	assert_int_equal(sharing_next_frames(sharing, EVERY, &pfn), 0);
	sharing_finish(sharing);
	assert_int_equal(GROUP(sharing, 0, 1), FAR_APART);
	assert_int_equal(GROUP(sharing, 0), 10);
	check_identities(sharing);
	sharing_free(sharing);
}

/* Numbers that look random, the same in each run. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

enum { MODEL_PROCESSES = 40, MODEL_FRAMES = 3000 };

static void check_model(const struct sharing *sharing, bool (*has)[MODEL_FRAMES])
{
	for (uint32_t a = 0; a < MODEL_PROCESSES; a += 3)
		for (uint32_t b = a + 1; b < MODEL_PROCESSES; b += 5) {
			uint64_t both = 0;

			for (size_t frame = 0; frame < MODEL_FRAMES; frame++)
				both += has[a][frame] && has[b][frame];
			assert_int_equal(pair_of(sharing, a, b), both);
		}
}

/* Against a table of who has what. */
static void as_a_plain_model(void **state)
{
	static bool has[MODEL_PROCESSES][MODEL_FRAMES];
	struct sharing *sharing = sharing_new(0);
	uint64_t footprint = 0, rolled[2][SHARE_KINDS], even = 0;
	uint32_t seed = 7, label[MODEL_PROCESSES];
	struct sharing_run runs[30];

	(void)state;
	for (uint32_t process = 0; process < MODEL_PROCESSES; process++) {
		sharing_begin(sharing);
		label[process] = process % 3;
		for (unsigned run = 0; run < 30; run++) {
			uint32_t first = next_random(&seed) % MODEL_FRAMES;
			uint32_t count = next_random(&seed) % 60;

			if (count > MODEL_FRAMES - first)
				count = MODEL_FRAMES - first;
			runs[run] = (struct sharing_run){ 700 + first, count, SHARE_FILE, false };
			memset(&has[process][first], true, count);
		}
		sharing_add_runs(sharing, runs, 30);
	}
	sharing_finish(sharing);
	for (size_t frame = 0; frame < MODEL_FRAMES; frame++) {
		bool any = false, third = false;

		for (uint32_t process = 0; process < MODEL_PROCESSES; process++) {
			any |= has[process][frame];
			third |= has[process][frame] && process % 3 == 1;
		}
		footprint += any;
		even += third;
	}
	assert_int_equal(share_sum(sharing_total(sharing)->footprint), footprint);
	sharing_roll_up(sharing, label, rolled, 2);
	assert_int_equal(rolled[1][SHARE_FILE], even);
	check_model(sharing, has);
	check_identities(sharing);
	sharing_free(sharing);
}

enum { BANDS_PROCESSES = 600 };

static unsigned in_common(uint32_t a, uint32_t b)
{
	bool middle = a >= 100 && a < 500 && b >= 100 && b < 500;
	bool thirds = a % 3 == 0 && b % 3 == 0;
	bool ends = (a < 5 || a >= 590) && (b < 5 || b >= 590);

	return (middle ? 7u : 0) + (thirds ? 3u : 0) + (ends ? 5u : 0);
}

/* More processes than fit a band of the matrix, in groups of one span, of two and of two hundred. */
static void many_bands(void **state)
{
	struct sharing *sharing = sharing_new(0);
	struct sharing_pairs pairs;
	size_t all = 0;

	(void)state;
	for (uint32_t process = 0; process < BANDS_PROCESSES; process++) {
		sharing_begin(sharing);
		if (process >= 100 && process < 500)
			sharing_add(sharing, 0, 7, SHARE_FILE, false);
		if (process % 3 == 0)
			sharing_add(sharing, 1000, 3, SHARE_SHM, false);
		if (process < 5 || process >= 590)
			sharing_add(sharing, 2000, 5, SHARE_ANON, false);
	}
	sharing_finish(sharing);
	sharing_pairs_make(sharing, SIZE_MAX / 256, &pairs);
	for (uint32_t a = 0; a < BANDS_PROCESSES; a++)
		for (uint32_t b = a + 1; b < BANDS_PROCESSES; b++)
			all += in_common(a, b) > 0;
	assert_int_equal(pairs.count, all);
	for (size_t i = 0; i < pairs.count; i++) {
		const struct sharing_pair *pair = &pairs.pair[i];

		assert_true(pair->a < pair->b);
		assert_int_equal(pair->total, in_common(pair->a, pair->b));
		assert_int_equal(share_sum(pair->frames), pair->total);
	}
	sharing_pairs_free(&pairs);
	check_identities(sharing);
	sharing_free(sharing);
}

/* No more pairs than asked for, the largest of all, though all of them are counted. */
static void top_pairs(void **state)
{
	struct sharing *sharing = sharing_new(0);
	struct sharing_pairs pairs;

	(void)state;
	for (uint32_t process = 0; process < 50; process++) {
		sharing_begin(sharing);
		sharing_add(sharing, 0, process + 1, SHARE_FILE, false);
	}
	sharing_finish(sharing);
	sharing_pairs_make(sharing, 3, &pairs);
	assert_int_equal(pairs.all, 50 * 49 / 2);
	assert_int_equal(pairs.count, 3);
	assert_int_equal(pairs.pair[0].a, 48);
	assert_int_equal(pairs.pair[0].b, 49);
	assert_int_equal(pairs.pair[0].total, 49);
	assert_int_equal(pairs.pair[2].total, 48);
	sharing_pairs_free(&pairs);
	sharing_pairs_make(sharing, 0, &pairs);
	assert_int_equal(pairs.count, 0);
	sharing_pairs_free(&pairs);
	sharing_free(sharing);
}

/* Frames that can not be: passed over, not written to. */
static void not_frames(void **state)
{
	struct sharing *sharing = sharing_new(0);
	uint64_t pfn = 0;

	(void)state;
	sharing_begin(sharing);
	sharing_add(sharing, SHARING_PFN_END, 1, SHARE_FILE, false);
	sharing_add(sharing, SHARING_PFN_END - 1, 2, SHARE_FILE, false);
	sharing_add(sharing, UINT64_MAX, UINT64_MAX, SHARE_FILE, false);
	assert_int_equal(sharing_next_frames(sharing, EVERY, &pfn), 0);
	sharing_add(sharing, SHARING_PFN_END - 1, 1, SHARE_FILE, false);
	assert_int_equal(sharing_next_frames(sharing, EVERY, &pfn), 1);
	assert_int_equal(pfn, SHARING_PFN_END - 1);
	sharing_finish(sharing);
	assert_int_equal(share_sum(sharing_total(sharing)->footprint), 1);
	sharing_free(sharing);
}

static void nobody_at_all(void **state)
{
	struct sharing *sharing = sharing_new(0);
	struct sharing_pairs pairs;
	size_t count;

	(void)state;
	sharing_finish(sharing);
	free(sharing_groups(sharing, &count));
	assert_int_equal(count, 0);
	sharing_pairs_make(sharing, 10, &pairs);
	assert_int_equal(pairs.all, 0);
	sharing_pairs_free(&pairs);
	sharing_free(sharing);
	sharing_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_pairs_and_groups),
		cmocka_unit_test(kinds_apart),
		cmocka_unit_test(mapped_twice),
		cmocka_unit_test(once_by_count),
		cmocka_unit_test(mapped_very_often),
		cmocka_unit_test(huge_pages_and_parts),
		cmocka_unit_test(dropped),
		cmocka_unit_test(over_the_cap),
		cmocka_unit_test(far_apart),
		cmocka_unit_test(as_a_plain_model),
		cmocka_unit_test(many_bands),
		cmocka_unit_test(top_pairs),
		cmocka_unit_test(not_frames),
		cmocka_unit_test(nobody_at_all),
	};

	return cmocka_run_group_tests_name("sharing", tests, NULL, NULL);
}
