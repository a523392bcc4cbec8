/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/page_runs.h"

#include <stdio.h>

#include "analysis/contiguity.h"
#include "analysis/flag_match.h"
#include "analysis/flag_sets.h"
#include "analysis/folio.h"
#include "base/error.h"
#include <stdio.h>

#include "unit.h"

enum { PAGE = 4096 };

struct collected {
	struct page_run runs[64];
	size_t count;
};

static void collect(void *ctx, struct page_run *run)
{
	struct collected *collected = ctx;

	assert_true(collected->count < COUNT(collected->runs));
	collected->runs[collected->count++] = *run;
}

static struct page_run page(uint64_t addr, uint64_t word)
{
	return (struct page_run){ .start = addr,
				  .pages = 1,
				  .word = word,
				  .state = PAGE_PRESENT,
				  .mapped = PAGE_MAPPED_PTE,
				  .order = PAGE_ORDER_UNKNOWN };
}

/* Pairs of pages: do they make one run? The second one differs in what the case's name says. */
static void test_pairs(void **state)
{
	const struct page_run first = page(0x1000, 0x8100000000000010);
	struct page_run next = page(0x2000, 0x8100000000000011), other, flagged = first;

	(void)state;
	assert_true(page_run_continues(&first, &next, PAGE));
	other = next, other.start = 0x3000;
	CHECK("address", !page_run_continues(&first, &other, PAGE));
	other = next, other.word++;
	CHECK("frame", !page_run_continues(&first, &other, PAGE));
	other = next, other.word &= ~PAGEMAP_EXCLUSIVE;
	CHECK("exclusive", !page_run_continues(&first, &other, PAGE));
	other = next, other.word |= PAGEMAP_SOFT_DIRTY;
	CHECK("soft-dirty", !page_run_continues(&first, &other, PAGE));
	other = next, other.state = PAGE_ZERO;
	CHECK("state", !page_run_continues(&first, &other, PAGE));
	other = next, other.mapped = PAGE_MAPPED_PMD;
	CHECK("level", !page_run_continues(&first, &other, PAGE));
	other = next, other.node = 1;
	CHECK("node", !page_run_continues(&first, &other, PAGE));
	other = next, other.has_count = true;
	CHECK("count known", !page_run_continues(&first, &other, PAGE));
	other = next, other.map_count = 7;
	CHECK("count not known", page_run_continues(&first, &other, PAGE));
	other = next, other.changed = true;
	CHECK("torn", !page_run_continues(&first, &other, PAGE));
	flagged.has_flags = next.has_flags = true;
	flagged.flags = PAGE_FLAG(ANON) | PAGE_FLAG(HEAD);
	flagged.order = next.order = 4;
	next.flags = PAGE_FLAG(ANON) | PAGE_FLAG(TAIL);
	CHECK("head and tail", page_run_continues(&flagged, &next, PAGE));
	other = next, other.order = 3;
	CHECK("order", !page_run_continues(&flagged, &other, PAGE));
	other = next, other.flags = PAGE_FLAG(ANON);
	CHECK("no folio", !page_run_continues(&flagged, &other, PAGE));
	other = next, other.flags |= PAGE_FLAG(DIRTY);
	CHECK("flags", !page_run_continues(&flagged, &other, PAGE));
	other = next, other.has_cgroup = true;
	CHECK("cgroup", !page_run_continues(&flagged, &other, PAGE));
}

static void test_merge(void **state)
{
	struct collected got = { .count = 0 };
	struct page_runs runs = { .page_size = PAGE, .sink = collect, .ctx = &got };
	struct page_run piece = page(0x1000, 0x8100000000000010);

	(void)state;
	for (int i = 0; i < 5; i++) {
		page_runs_add(&runs, &piece);
		piece = page_run_from(&piece, 1, PAGE);
		piece.pages = 1;
	}
	/* swap slots go on, too */
	piece = page(0x6000, 0x4000000000000020);
	piece.state = PAGE_SWAPPED;
	page_runs_add(&runs, &piece);
	piece.start = 0x7000;
	piece.word = 0x4000000000000040;
	page_runs_add(&runs, &piece);
	piece.start = 0x8000; /* the same slot again */
	page_runs_add(&runs, &piece);
	/* all zero pages are one frame */
	for (uint64_t addr = 0x9000; addr < 0xc000; addr += PAGE) {
		piece = page(addr, 0x8000000000000077);
		piece.state = PAGE_ZERO;
		page_runs_add(&runs, &piece);
	}
	page_runs_flush(&runs);
	page_runs_flush(&runs);
	assert_int_equal(got.count, 4);
	assert_int_equal(got.runs[0].pages, 5);
	assert_int_equal(got.runs[0].word, 0x8100000000000010);
	assert_int_equal(got.runs[1].pages, 2);
	assert_int_equal(got.runs[2].pages, 1);
	assert_int_equal(got.runs[3].pages, 3);
}

/* Marks of age do not split; a run has those that all its pages have. Dirty does. */
static void test_ignored(void **state)
{
	static const uint64_t flags[] = {
		PAGE_FLAG(LRU) | PAGE_FLAG(IDLE) | PAGE_FLAG(ARCH),
		PAGE_FLAG(LRU) | PAGE_FLAG(ARCH),
		PAGE_FLAG(LRU) | PAGE_FLAG(IDLE) | PAGE_FLAG(ARCH),
		PAGE_FLAG(LRU) | PAGE_FLAG(DIRTY) | PAGE_FLAG(IDLE),
		PAGE_FLAG(LRU) | PAGE_FLAG(DIRTY) | PAGE_FLAG(IDLE),
	};
	struct collected got = { .count = 0 };
	struct page_runs runs = { .page_size = PAGE, .sink = collect, .ctx = &got };

	(void)state;
	for (int split = 0; split < 2; split++) {
		got.count = 0;
		runs.ignored = split ? 0 : page_runs_idle_flags;
		for (uint64_t i = 0; i < 5; i++) {
			struct page_run piece = page(0x1000 + i * PAGE, 0x8100000000000010 + i);

			piece.has_flags = true;
			piece.flags = flags[i];
			page_runs_add(&runs, &piece);
		}
		page_runs_flush(&runs);
		assert_int_equal(got.count, split ? 4 : 2);
		assert_int_equal(got.runs[0].pages, split ? 1 : 3);
		assert_int_equal(got.runs[0].flags,
				 split ? flags[0] : PAGE_FLAG(LRU) | PAGE_FLAG(ARCH));
		assert_int_equal(got.runs[got.count - 1].pages, 2);
		assert_int_equal(got.runs[got.count - 1].flags, flags[4]);
	}
}

/* A huge page is one piece; page by page it has one head. */
static void test_each(void **state)
{
	struct collected got = { .count = 0 };
	struct page_runs runs = { .page_size = PAGE, .each = true, .sink = collect, .ctx = &got };
	struct page_run piece = page(0x10000, 0x810000000000fff8);

	(void)state;
	piece.pages = 24;
	piece.has_flags = true;
	piece.order = 3;
	piece.flags = PAGE_FLAG(HEAD) | PAGE_FLAG(TAIL) | PAGE_FLAG(THP);
	page_runs_add(&runs, &piece);
	assert_int_equal(got.count, 24);
	for (size_t i = 0; i < 24; i++) {
		assert_int_equal(got.runs[i].start, 0x10000 + i * PAGE);
		assert_int_equal(page_run_pfn(&got.runs[i]), 0xfff8 + i);
		assert_int_equal(got.runs[i].flags,
				 PAGE_FLAG(THP) | (i % 8 ? PAGE_FLAG(TAIL) : PAGE_FLAG(HEAD)));
	}
}

/* Frames 0..63: a letter each, H head, T tail, . neither, ? not known. */
static bool map_flags(void *ctx, uint64_t pfn, uint64_t *flags)
{
	const char *map = ctx;

	if (pfn >= strlen(map) || map[pfn] == '?')
		return false;
	*flags = map[pfn] == 'H' ? PAGE_FLAG(HEAD) : map[pfn] == 'T' ? PAGE_FLAG(TAIL) : 0;
	return true;
}

static const struct folio_case {
	const char *map;
	uint64_t pfn, head;
	unsigned order; /* 0: can not be told */
	unsigned at_least;
} folio_cases[] = {
	{ "HT..", 0, 0, 1, 0 },
	{ "HT..", 1, 0, 1, 0 },
	{ "....HTTT....", 6, 4, 2, 0 },
	{ "....HTTT....", 7, 4, 2, 0 },
	{ "....HTTTHTHT", 5, 4, 2, 0 },
	{ "....HTTTHTHT", 9, 8, 1, 0 },
	{ "........HTTTTTTT", 15, 8, 3, 0 }, /* ends with memory */
	{ "HTTTTTTTHTTTTTTT", 13, 8, 3, 0 },
	{ "HTTTTTTTHTTTTTTT", 3, 0, 3, 0 },
	{ "HTTTTTTTTTTTTTTT", 9, 0, 4, 0 },
	{ "....????....", 4, 0, 0, 0 }, /* (a tail whose head is not known) */
	{ ".T......", 1, 0, 0, 0 }, /* torn: no head */
	{ "H.......", 0, 0, 0, 0 }, /* torn: a head alone */
	{ "HT.T....", 3, 0, 0, 0 }, /* torn: behind the end of the folio */
	{ "H???????H???????", 0, 0, 3, 3 }, /* only every eighth frame is looked at */
	{ "H???????T???????", 0, 0, 4, 3 },
	{ "H???????T???????", 8, 0, 4, 3 },
};

static void test_folio(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(folio_cases); i++) {
		const struct folio_case *c = &folio_cases[i];
		char map[32];
		struct folio folio = { 0 };
		uint64_t flags;

		snprintf(map, sizeof(map), "%s", c->map);
		if (!map_flags(map, c->pfn, &flags))
			flags = PAGE_FLAG(TAIL);
		CHECK(c->map, folio_find(c->pfn, flags, c->at_least, map_flags, map, &folio) ==
				      (c->order > 0));
		CHECK(c->map, folio.pfn == c->head && folio.order == c->order);
		CHECK(c->map, !c->order || folio_holds(&folio, c->pfn));
		CHECK(c->map, !folio_holds(&folio, c->head + (1ull << c->order)));
	}
}

static void test_contiguity(void **state)
{
	struct contiguity c, all;

	(void)state;
	contiguity_init(&c, 16, 512);
	contiguity_add(&c, 0x1000, 0x5000, 10);
	contiguity_add(&c, 0x100a, 0x500a, 22); /* goes on: 32 pages, aligned alike */
	contiguity_add(&c, 0x1020, 0x6000, 16); /* aligned by itself */
	contiguity_add(&c, 0x1030, 0x7001, 16); /* the frame is not */
	contiguity_add(&c, 0x1041, 0x7012, 1); /* a page is missing between */
	contiguity_add(&c, 0x1100, 0x8900, 0x500); /* 0x1200..0x1600: two big blocks */
	contiguity_end(&c);
	contiguity_end(&c);
	assert_int_equal(c.runs, 5);
	assert_int_equal(c.pages, 32 + 16 + 16 + 1 + 0x500);
	assert_int_equal(c.longest, 0x500);
	assert_int_equal(c.runs_of[0], 1);
	assert_int_equal(c.runs_of[4], 2);
	assert_int_equal(c.runs_of[5], 1);
	assert_int_equal(c.runs_of[10], 1);
	assert_int_equal(c.small.pages, 32 + 16 + 0x500);
	assert_int_equal(c.big.pages, 1024);
	contiguity_init(&all, 16, 512);
	contiguity_merge(&all, &c);
	contiguity_merge(&all, &c);
	assert_int_equal(all.runs, 10);
	assert_int_equal(all.longest, 0x500);
	assert_int_equal(all.big.pages, 2048);
	assert_int_equal(all.runs_of[4], 4);
}

#define F(name) PAGE_FLAG(name)

static const struct match_case {
	const char *text;
	uint64_t flags;
	bool match;
} match_cases[] = {
	{ "anon", F(ANON) | F(LRU), true },
	{ "anon", F(LRU), false },
	{ "anonymous,dirty", F(DIRTY), true },
	{ "anon,dirty", F(ANON), true },
	{ "anon,dirty", F(LRU), false },
	{ "lru,~dirty", F(LRU) | F(ANON), true },
	{ "lru,~dirty", F(LRU) | F(DIRTY), false },
	{ "lru,~dirty", 0, false },
	{ "~lru", 0, true },
	{ "~lru", F(LRU), false },
	{ "lru,dirty=lru", F(LRU) | F(ANON), true },
	{ "lru,dirty=lru", F(LRU) | F(DIRTY), false },
	{ "lru,dirty=", F(ANON), true },
	{ "lru,dirty=", F(LRU), false },
	{ "=anon,lru", F(LRU) | F(ANON), true },
	{ "=anon,lru", F(LRU) | F(ANON) | F(MLOCKED), false },
	{ "=anon,lru", F(LRU), false },
	{ "=", 0, true },
	{ "=", F(LRU), false },
	{ "compound", F(TAIL), true },
	{ "comp", F(HEAD), true },
	{ "compound_head", F(TAIL), false },
	{ "compound_t", F(TAIL), true },
	{ "0x1000", F(ANON), true },
	{ "4096", F(ANON), true },
	{ "4096", F(LRU), false },
	{ "bit63", 1ull << 63, true },
	{ "private", F(PRIVATE), true },
	{ "private", F(PRIVATE_2), false },
};

static const char *const match_errors[] = {
	"",
	"nope",
	"anon,",
	",anon",
	"anon,,lru",
	"~",
	"anon,~",
	"0x",
	"anon,~lru=anon",
	"lru=~lru",
	"0x10000000000000000",
	" anon",
	"anon=lru=x",
	"18446744073709551616",
};

static void test_match(void **state)
{
	struct flag_match match;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT(match_cases); i++) {
		const struct match_case *c = &match_cases[i];

		CHECK(c->text, flag_match_parse(&match, c->text, &err) == 0);
		CHECK(c->text, flag_match(&match, c->flags) == c->match);
	}
	for (size_t i = 0; i < COUNT(match_errors); i++) {
		err.text[0] = '\0';
		CHECK(match_errors[i], flag_match_parse(&match, match_errors[i], &err) < 0);
		CHECK(match_errors[i], err.text[0]);
	}
}

static void test_sets(void **state)
{
	const uint64_t words[] = { 5, 5, 9, 5, 1, 1, 1 };
	struct flag_sets sets = { 0 }, all = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		flag_sets_add(&sets, words[i], 1);
	flag_sets_add(&sets, 7, 0);
	assert_int_equal(sets.count, 3);
	for (uint64_t i = 0; i < 1000; i++)
		flag_sets_add(&all, i * 37 % 1000, 1);
	assert_int_equal(all.count, 1000);
	flag_sets_merge(&all, &sets);
	flag_sets_merge(&all, &sets);
	assert_int_equal(all.count, 1000);
	flag_sets_sort(&all);
	assert_int_equal(all.sets[0].flags, 1);
	assert_int_equal(all.sets[0].pages, 7);
	assert_int_equal(all.sets[1].flags, 5);
	assert_int_equal(all.sets[1].pages, 7);
	assert_int_equal(all.sets[2].flags, 9);
	assert_int_equal(all.sets[2].pages, 3);
	assert_int_equal(all.sets[3].flags, 0);
	flag_sets_fini(&sets);
	flag_sets_fini(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),	cmocka_unit_test(test_merge),
		cmocka_unit_test(test_ignored), cmocka_unit_test(test_each),
		cmocka_unit_test(test_folio),	cmocka_unit_test(test_contiguity),
		cmocka_unit_test(test_match),	cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
