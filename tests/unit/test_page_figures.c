/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smaps' figures, counted from pages. */
#include "analysis/page_figures.h"

#include <string.h>

#include "model/vma.h"
#include "unit.h"

enum { PAGE = 4096, PAGES = 16 };

#define F(name) PAGE_FLAG(name)
#define ANON_FLAGS (F(UPTODATE) | F(LRU) | F(MMAP) | F(ANON) | F(SWAPBACKED))
#define FILE_FLAGS (F(UPTODATE) | F(LRU) | F(MMAP))

/* A mapping of 16 pages, and one piece of pages in it; fields in pages, pss in bytes. */
static const struct figures_case {
	const char *name;
	const char *path;
	uint8_t perm;
	uint32_t dev_major;
	uint64_t pages, word, flags, count;
	enum page_state state;
	uint8_t mapped;
	uint64_t rss, pss, private_clean, private_dirty, shared_clean, shared_dirty;
	uint64_t anonymous, lazy_free, huge;
	bool estimated, average;
} cases[] = {
	/* clang-format off */
	{ "nothing", "", VMA_WRITE, 0, 0, 0, 0, 0, PAGE_EMPTY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false, false },
	{ "anonymous, once", "", VMA_WRITE, 0, 3, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 9, ANON_FLAGS, 1,
	  PAGE_PRESENT, PAGE_MAPPED_PTE, 3, 12288, 0, 3, 0, 0, 3, 0, 0, true, false },
	/* 4096 / 3 = 1365.33 each; five of them 6826.6, in whole KiB */
	{ "anonymous, of three", "", VMA_WRITE, 0, 5, PAGEMAP_PRESENT | 9, ANON_FLAGS, 3, PAGE_PRESENT,
	  PAGE_MAPPED_PTE, 5, 6144, 0, 0, 0, 5, 5, 0, 0, true, false },
	{ "anonymous, marked dirty", "", VMA_WRITE, 0, 1, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 9,
	  ANON_FLAGS | F(DIRTY), 1, PAGE_PRESENT, PAGE_MAPPED_PTE, 1, 4096, 0, 1, 0, 0, 1, 0, 0, false, false },
	{ "in the swap cache", "", VMA_WRITE, 0, 1, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 9,
	  ANON_FLAGS | F(SWAPCACHE), 1, PAGE_PRESENT, PAGE_MAPPED_PTE, 1, 4096, 1, 0, 0, 0, 1, 0, 0, true, false },
	{ "lazily freed", "", VMA_WRITE, 0, 2, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 9,
	  ANON_FLAGS & ~F(SWAPBACKED), 1, PAGE_PRESENT, PAGE_MAPPED_PTE, 2, 8192, 2, 0, 0, 0, 2, 2, 0, true, false },
	{ "private file", "/bin/x", VMA_READ, 8, 4, PAGEMAP_PRESENT | PAGEMAP_FILE | 9, FILE_FLAGS, 2,
	  PAGE_PRESENT, PAGE_MAPPED_PTE, 4, 8192, 0, 0, 4, 0, 0, 0, 0, false, false },
	{ "shared file on a disk", "/data", VMA_SHARED | VMA_WRITE, 8, 4,
	  PAGEMAP_PRESENT | PAGEMAP_FILE | PAGEMAP_EXCLUSIVE | 9, FILE_FLAGS | F(DIRTY), 1, PAGE_PRESENT,
	  PAGE_MAPPED_PTE, 4, 16384, 0, 4, 0, 0, 0, 0, 0, false, false },
	{ "shared file, clean", "/data", VMA_SHARED | VMA_WRITE, 8, 1,
	  PAGEMAP_PRESENT | PAGEMAP_FILE | PAGEMAP_EXCLUSIVE | 9, FILE_FLAGS, 1, PAGE_PRESENT,
	  PAGE_MAPPED_PTE, 1, 4096, 1, 0, 0, 0, 0, 0, 0, false, false },
	{ "shared memory that was read", "/memfd:x", VMA_SHARED | VMA_WRITE, 0, 1,
	  PAGEMAP_PRESENT | PAGEMAP_FILE | PAGEMAP_EXCLUSIVE | 9, FILE_FLAGS | F(SWAPBACKED), 1,
	  PAGE_PRESENT, PAGE_MAPPED_PTE, 1, 4096, 1, 0, 0, 0, 0, 0, 0, true, false },
	{ "a device's shared page", "/dev/x", VMA_SHARED | VMA_WRITE, 8, 1,
	  PAGEMAP_PRESENT | PAGEMAP_FILE | PAGEMAP_EXCLUSIVE | 9, FILE_FLAGS, 1, PAGE_PRESENT,
	  PAGE_MAPPED_PTE, 1, 4096, 1, 0, 0, 0, 0, 0, 0, true, false },
	{ "mapped by a PMD", "", VMA_WRITE, 0, 8, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 9,
	  ANON_FLAGS | F(THP) | F(DIRTY) | F(HEAD), 1, PAGE_PRESENT, PAGE_MAPPED_PMD, 8, 32768, 0, 8, 0, 0,
	  8, 0, 8, false, false },
	{ "zero pages", "", VMA_WRITE, 0, 8, PAGEMAP_PRESENT | 9, F(ZERO) | F(RESERVED), 0, PAGE_ZERO,
	  PAGE_MAPPED_PTE, 0, 0, 0, 0, 0, 0, 0, 0, 0, false, false },
	{ "guard", "", VMA_WRITE, 0, 8, PAGEMAP_SWAP | PAGEMAP_GUARD, 0, 0, PAGE_GUARD, 0, 0, 0, 0, 0, 0, 0, 0,
	  0, 0, false, false },
	/* private by the word, though the average of the folio is 2 */
	{ "average", "", VMA_WRITE, 0, 2, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | 9, ANON_FLAGS | F(DIRTY), 2,
	  PAGE_PRESENT, PAGE_MAPPED_PTE, 2, 4096, 0, 2, 0, 0, 2, 0, 0, false, true },
	/* clang-format on */
};

static struct vma mapping(const char *path, uint8_t perm, uint32_t major)
{
	return (struct vma){
		.start = 0x10000,
		.end = 0x10000 + PAGES * PAGE,
		.perm = perm,
		.dev_major = major,
		.inode = *path ? 7 : 0,
		.path = bytes_of(path),
	};
}

static const struct page_figures_facts plain = { .page_size = PAGE, .why_less = "less" };

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct figures_case *c = &cases[i];
		struct vma vma = mapping(c->path, c->perm, c->dev_major);
		const struct page_run run = {
			.pages = c->pages,
			.word = c->word,
			.flags = c->flags,
			.map_count = c->count,
			.state = (uint8_t)c->state,
			.mapped = c->mapped,
			.has_flags = true,
			.has_count = true,
			.average = c->average,
		};
		struct page_figures figures;
		uint64_t *field = vma.field;

		page_figures_init(&figures, &vma);
		if (c->pages)
			page_figures_add(&figures, &run, PAGE);
		page_figures_fill(&figures, &plain, &vma);
		CHECK(c->name, field[SMAPS_RSS] == c->rss * PAGE && field[SMAPS_PSS] == c->pss);
		CHECK(c->name, field[SMAPS_PRIVATE_CLEAN] == c->private_clean * PAGE);
		CHECK(c->name, field[SMAPS_PRIVATE_DIRTY] == c->private_dirty * PAGE);
		CHECK(c->name, field[SMAPS_SHARED_CLEAN] == c->shared_clean * PAGE);
		CHECK(c->name, field[SMAPS_SHARED_DIRTY] == c->shared_dirty * PAGE);
		CHECK(c->name, field[SMAPS_ANONYMOUS] == c->anonymous * PAGE);
		CHECK(c->name, field[SMAPS_LAZY_FREE] == c->lazy_free * PAGE);
		CHECK(c->name, field[SMAPS_ANON_HUGE_PAGES] == c->huge * PAGE);
		CHECK(c->name, (vma.estimated != 0) == c->estimated);
		CHECK(c->name, vma_has(&vma, SMAPS_PSS) && vma_has(&vma, SMAPS_KSM));
		CHECK(c->name, !vma_has(&vma, SMAPS_THP_ELIGIBLE));
		CHECK(c->name, strcmp(vma.absent, "less") == 0);
	}
}

/* One piece of 2 pages in a mapping of shared memory; what is known of it then. */
static uint64_t known(struct page_run run, const struct page_figures_facts *facts, const char *path,
		      struct vma *vma)
{
	struct page_figures figures;

	*vma = mapping(path, VMA_SHARED | VMA_WRITE, 0);
	run.pages = 2;
	page_figures_init(&figures, vma);
	page_figures_add(&figures, &run, PAGE);
	page_figures_fill(&figures, facts, vma);
	return vma->have;
}

#define HAS(have, slot) ((have) >> SMAPS_##slot & 1)

static void test_swap(void **state)
{
	static const struct page_figures_facts used = { PAGE, true, false, NULL, "less" };
	static const struct page_figures_facts hidden = { PAGE, true, false, "denied", "less" };
	const struct page_run swapped = { .word = PAGEMAP_SWAP | 32, .state = PAGE_SWAPPED };
	struct vma vma;
	uint64_t have = known(swapped, &used, "", &vma);

	(void)state;
	assert_true(HAS(have, SWAP));
	assert_true(vma.field[SMAPS_SWAP] == 2 * PAGE);
	/* who else has these slots is not known */
	assert_false(HAS(have, SWAP_PSS));
	/* the empty pages of shared memory may be in swap */
	assert_false(HAS(known(swapped, &used, "/memfd:x", &vma), SWAP));
	assert_true(HAS(known(swapped, &plain, "/memfd:x", &vma), SWAP));
	/* without payloads a marker looks like a swapped page */
	assert_false(HAS(known(swapped, &hidden, "", &vma), SWAP));
}

static void test_unknown(void **state)
{
	static const struct page_figures_facts hidden = { PAGE, false, false, "denied", "less" };
	const struct page_run run = { .word = PAGEMAP_PRESENT, .state = PAGE_PRESENT };
	struct page_run torn = { .word = PAGEMAP_PRESENT | 9,
				 .flags = F(BUDDY),
				 .state = PAGE_PRESENT,
				 .has_flags = true,
				 .has_count = true,
				 .changed = true };
	struct vma vma;
	uint64_t have = known(run, &hidden, "", &vma);

	(void)state;
	assert_true(HAS(have, RSS) && vma.field[SMAPS_RSS] == 2 * PAGE);
	assert_true(HAS(have, ANONYMOUS) && vma.field[SMAPS_ANONYMOUS] == 2 * PAGE);
	assert_false(HAS(have, PSS) || HAS(have, PRIVATE_DIRTY) || HAS(have, KSM));
	assert_string_equal(vma_absent(&vma, 1ULL << SMAPS_PSS), "denied");
	assert_string_equal(vma_absent(&vma, 1ULL << SMAPS_THP_ELIGIBLE), "less");
	/* a file that may be in hugetlb pages, which are not resident */
	assert_false(HAS(known(run, &hidden, "/memfd:x", &vma), RSS));
	have = known(torn, &plain, "", &vma);
	assert_false(HAS(have, PSS));
	assert_string_equal(vma_absent(&vma, 1ULL << SMAPS_PSS), "changed while it was read");
	/* a device's page is not resident */
	torn.changed = false;
	torn.no_memory = true;
	assert_true(HAS(known(torn, &plain, "", &vma), PSS) && !vma.field[SMAPS_RSS]);
}

static void test_referenced_and_hugetlb(void **state)
{
	struct page_run run = { .word = PAGEMAP_PRESENT | 9,
				.flags = ANON_FLAGS | F(REFERENCED),
				.map_count = 1,
				.state = PAGE_PRESENT,
				.has_flags = true,
				.has_count = true };
	struct vma vma;

	(void)state;
	assert_true(HAS(known(run, &plain, "", &vma), REFERENCED));
	assert_true(vma.field[SMAPS_REFERENCED] == 2 * PAGE);
	run.flags = ANON_FLAGS;
	assert_false(HAS(known(run, &plain, "", &vma), REFERENCED));
	run.flags = F(HUGE) | F(HEAD);
	known(run, &plain, "/anon_hugepage", &vma);
	assert_true(vma.field[SMAPS_SHARED_HUGETLB] == 2 * PAGE && !vma.field[SMAPS_RSS]);
	run.word |= PAGEMAP_EXCLUSIVE;
	known(run, &plain, "/anon_hugepage", &vma);
	assert_true(vma.field[SMAPS_PRIVATE_HUGETLB] == 2 * PAGE);
}

/* By which level a folio of a PMD's size is mapped decides what is huge. */
static void test_huge_in_doubt(void **state)
{
	struct page_run run = { .word = PAGEMAP_PRESENT | 9,
				.flags = ANON_FLAGS | F(THP) | F(HEAD),
				.map_count = 1,
				.state = PAGE_PRESENT,
				.order = 9,
				.has_flags = true,
				.has_count = true };
	struct vma vma;

	(void)state;
	assert_false(HAS(known(run, &plain, "", &vma), ANON_HUGE_PAGES));
	run.order = 4;
	assert_true(HAS(known(run, &plain, "", &vma), ANON_HUGE_PAGES));
	assert_true(vma.field[SMAPS_ANON_HUGE_PAGES] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	      cmocka_unit_test(test_swap),
		cmocka_unit_test(test_unknown),	      cmocka_unit_test(test_referenced_and_hugetlb),
		cmocka_unit_test(test_huge_in_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
