/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/frame_class.h"

#include "model/page.h"
#include "unit.h"

#define F(name) PAGE_FLAG(name)
#define ANON_PAGE (F(UPTODATE) | F(LRU) | F(MMAP) | F(ANON) | F(SWAPBACKED))
#define FILE_PAGE (F(UPTODATE) | F(LRU) | F(OWNER_2))

/* Words as kernels show them; mobility without and with compaction of mlocked memory. */
static const struct {
	const char *name;
	uint64_t flags;
	enum frame_class class;
	enum frame_mobility mobility, allowed;
} cases[] = {
	/* clang-format off */
	{ "free", F(BUDDY), FRAME_FREE, MOBILITY_FREE, MOBILITY_FREE },
	{ "free, reported to the hypervisor", F(BUDDY) | F(UPTODATE), FRAME_FREE, MOBILITY_FREE, MOBILITY_FREE },
	{ "broken page cache", FILE_PAGE | F(HWPOISON), FRAME_HWPOISON, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "balloon", F(OFFLINE), FRAME_OFFLINE, MOBILITY_CONDITIONAL, MOBILITY_CONDITIONAL },
	{ "slab", F(SLAB), FRAME_SLAB, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "slab with garbage", F(SLAB) | F(ANON) | F(KSM) | F(HEAD), FRAME_SLAB, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "page table", F(PGTABLE) | F(REFERENCED), FRAME_PGTABLE, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "zero page", F(ZERO) | F(RESERVED), FRAME_ZERO, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "huge zero page", F(ZERO) | F(THP) | F(TAIL), FRAME_ZERO, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "kernel image", F(RESERVED), FRAME_RESERVED, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "page descriptors", F(RESERVED) | F(PRIVATE), FRAME_RESERVED, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "vdso", F(RESERVED) | F(MMAP), FRAME_RESERVED, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "hugetlb, fresh", F(HUGE) | F(TAIL), FRAME_HUGETLB, MOBILITY_CONDITIONAL, MOBILITY_CONDITIONAL },
	{ "hugetlb, used", F(HUGE) | F(HEAD) | F(MMAP) | F(ANON) | F(UPTODATE), FRAME_HUGETLB, MOBILITY_CONDITIONAL, MOBILITY_CONDITIONAL },
	{ "zsmalloc", F(UPTODATE) | F(PRIVATE), FRAME_KERNEL_MOVABLE, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "ksm", ANON_PAGE | F(KSM), FRAME_KSM, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "MADV_FREE", F(UPTODATE) | F(LRU) | F(MMAP) | F(ANON), FRAME_LAZY_FREE, MOBILITY_RECLAIMABLE, MOBILITY_RECLAIMABLE },
	{ "MADV_FREE, written since", F(UPTODATE) | F(LRU) | F(MMAP) | F(ANON) | F(DIRTY), FRAME_LAZY_FREE, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "anonymous", ANON_PAGE | F(OWNER_2), FRAME_ANON, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "anonymous, not on a list yet", F(UPTODATE) | F(MMAP) | F(ANON) | F(SWAPBACKED), FRAME_ANON, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "anonymous, in the swap cache", F(UPTODATE) | F(LRU) | F(ANON) | F(SWAPBACKED) | F(SWAPCACHE), FRAME_ANON, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "anonymous, mlocked", ANON_PAGE | F(UNEVICTABLE) | F(MLOCKED), FRAME_ANON, MOBILITY_UNMOVABLE, MOBILITY_MOVABLE },
	{ "huge page", ANON_PAGE | F(THP) | F(HEAD), FRAME_ANON, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "secret memory", F(UPTODATE) | F(DIRTY) | F(MMAP) | F(MLOCKED), FRAME_SECRET, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "shared memory", F(UPTODATE) | F(DIRTY) | F(LRU) | F(MMAP) | F(SWAPBACKED), FRAME_SHM, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "shared memory, mlocked", F(UPTODATE) | F(DIRTY) | F(LRU) | F(MMAP) | F(SWAPBACKED) | F(UNEVICTABLE) | F(MLOCKED), FRAME_SHM, MOBILITY_UNMOVABLE, MOBILITY_MOVABLE },
	{ "mapped file", FILE_PAGE | F(MMAP), FRAME_FILE_MAPPED, MOBILITY_RECLAIMABLE, MOBILITY_RECLAIMABLE },
	{ "mapped file, dirty", FILE_PAGE | F(MMAP) | F(DIRTY), FRAME_FILE_MAPPED, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "mapped file, mlocked", FILE_PAGE | F(MMAP) | F(MLOCKED) | F(UNEVICTABLE), FRAME_FILE_MAPPED, MOBILITY_UNMOVABLE, MOBILITY_MOVABLE },
	{ "mapped file, mlocked, not on a list yet", F(UPTODATE) | F(MMAP) | F(MLOCKED) | F(THP), FRAME_FILE_MAPPED, MOBILITY_UNMOVABLE, MOBILITY_MOVABLE },
	{ "cached file", FILE_PAGE, FRAME_FILE_UNMAPPED, MOBILITY_RECLAIMABLE, MOBILITY_RECLAIMABLE },
	{ "cached file, being written", FILE_PAGE | F(WRITEBACK), FRAME_FILE_UNMAPPED, MOBILITY_MOVABLE, MOBILITY_MOVABLE },
	{ "cached file, with buffers", F(UPTODATE) | F(LRU) | F(PRIVATE), FRAME_FILE_UNMAPPED, MOBILITY_RECLAIMABLE, MOBILITY_RECLAIMABLE },
	{ "cached file, not on a list yet", F(UPTODATE) | F(OWNER_2), FRAME_FILE_UNMAPPED, MOBILITY_RECLAIMABLE, MOBILITY_RECLAIMABLE },
	{ "big folio of a file", F(THP) | F(TAIL), FRAME_FILE_UNMAPPED, MOBILITY_RECLAIMABLE, MOBILITY_RECLAIMABLE },
	{ "ring of a driver", F(MMAP), FRAME_KERNEL_MAPPED, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "ring of a driver, compound", F(MMAP) | F(HEAD), FRAME_KERNEL_MAPPED, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "large piece of the kernel", F(TAIL), FRAME_KERNEL_LARGE, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "no flag", 0, FRAME_KERNEL, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	{ "flags that say nothing", F(REFERENCED) | F(LOCKED) | 1ull << 63, FRAME_KERNEL, MOBILITY_UNMOVABLE, MOBILITY_UNMOVABLE },
	/* clang-format on */
};

static void test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum frame_class class = frame_class_of(cases[i].flags);

		CHECK(cases[i].name, class == cases[i].class);
		CHECK(cases[i].name,
		      frame_mobility_of(class, cases[i].flags, false) == cases[i].mobility);
		CHECK(cases[i].name,
		      frame_mobility_of(class, cases[i].flags, true) == cases[i].allowed);
	}
}

static bool is_in_cases(enum frame_class class)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		if (cases[i].class == class)
			return true;
	return false;
}

static void check_unlike(const struct frame_class_info *a, const struct frame_class_info *b)
{
	CHECK(a->name, a->letter != b->letter);
	CHECK(a->name, strcmp(a->name, b->name) != 0);
}

/* Each class that flags tell is in the cases, and each has a name and a letter of its own. */
static void test_table(void **state)
{
	(void)state;
	for (unsigned class = 0; class < FRAME_CLASSES; class ++) {
		assert_non_null(frame_classes[class].help);
		assert_true(class > FRAME_KERNEL || is_in_cases((enum frame_class) class));
		for (unsigned other = 0; other < class; other++)
			check_unlike(&frame_classes[class], &frame_classes[other]);
	}
	for (unsigned i = 0; i < MOBILITY_COUNT; i++)
		assert_non_null(frame_mobility_names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("frame_class", tests, NULL, NULL);
}
