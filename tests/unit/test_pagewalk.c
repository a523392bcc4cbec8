/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagewalk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "unit.h"

#include "tree.h"

enum { PAGES_MAX = 1 << 16 };

/* All pages that a walk gave, one by one, in order. */
struct seen {
	size_t count;
	struct seen_page {
		uint64_t addr, word;
		uint32_t vma;
		enum page_state state;
		enum page_mapped mapped;
	} pages[PAGES_MAX];
	uint64_t page_size, last;
	size_t spans, batches;
	int stop_after;
};

static int see(void *ctx, const struct page_batch *batch)
{
	struct seen *seen = ctx;

	seen->batches++;
	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];

		seen->spans++;
		assert_true(span->start >= seen->last);
		assert_true(span->pages > 0);
		seen->last = span->start + span->pages * seen->page_size;
		for (uint64_t k = 0; k < span->pages; k++) {
			struct seen_page page = { span->start + k * seen->page_size,
						  page_span_word(span, k), span->vma,
						  page_span_state(span, k, batch->zero_pfn),
						  span->mapped };

			if (page.state == PAGE_EMPTY)
				continue;
			assert_true(seen->count < PAGES_MAX);
			seen->pages[seen->count++] = page;
		}
	}
	return seen->stop_after && seen->stop_after-- == 1 ? 42 : 0;
}

/* A recorded process: three mappings that touch, a hole, a huge page, and a far one. */
static const char recorded_pagemap[] = "0x100 2 8100000000005000 +1\n"
				       "0x102 1 8000000000000077\n"
				       "0x104 3 4000000000000020 +0x20\n"
				       "0x107 1 440000000000009f\n"
				       "0x200 512 a100000000020000 +1\n"
				       "0x400 256 8100000000030000 +1\n"
				       "0x500 256 8000000000030100 +1\n"
				       "0x900 1 420000000000003f\n"
				       "0x8000000 1 8100000000001234\n";
static const char recorded_scan[] = "0x100 2 8\n"
				    "0x102 1 28\n"
				    "0x104 3 10\n"
				    "0x107 1 110\n"
				    "0x200 512 4c\n"
				    "0x400 512 48\n"
				    "0x900 1 10\n"
				    "0x8000000 1 8\n";
static const struct walk_vma recorded_vmas[] = {
	{ 0x100000, 0x101000, 0 },	   { 0x101000, 0x105000, 0 }, { 0x105000, 0x108000, 0 },
	{ 0x200000, 0x800000, 0 },	   { 0x8ff000, 0x902000, 0 }, { 0x902000, 0x903000, 0 },
	{ 0x8000000000, 0x8000001000, 0 },
};

struct recorded {
	struct tree tree;
	struct procdir dir;
	struct caps caps;
};

static void recorded_open(struct recorded *recorded, bool scan)
{
	const struct tree_file files[] = {
		{ "proc/7/pagemap", recorded_pagemap },
		{ "proc/7/pagemap.scan", recorded_scan },
		{ "sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n" },
	};

	tree_make(&recorded->tree, files, COUNT(files));
	caps_probe(&recorded->caps, &recorded->tree.root, scan ? 0 : 1u << CAPS_SCAN);
	recorded->caps.page_size = 4096;
	assert_int_equal(procdir_open(&recorded->dir, &recorded->tree.root, 7, NULL), 0);
}

static void recorded_close(struct recorded *recorded)
{
	procdir_close(&recorded->dir);
	tree_remove(&recorded->tree);
}

static struct seen *walk_all(const struct procdir *dir, const struct caps *caps, unsigned want,
			     const struct walk_vma *vmas, size_t count)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct pagewalk walk;

	assert_non_null(seen);
	seen->page_size = caps->page_size;
	assert_int_equal(pagewalk_open(&walk, dir, caps, want, NULL), 0);
	assert_int_equal(pagewalk_run(&walk, vmas, count, see, seen), 0);
	assert_true(pagewalk_is_alive(&walk));
	pagewalk_close(&walk);
	return seen;
}

/* The facts that both ways have to tell, scan or not. */
static void check_recorded(const struct seen *seen, bool scan)
{
	const struct seen_page *p = seen->pages;

	assert_int_equal(seen->count, 2 + 1 + 3 + 1 + 1024 + 1 + 1);
	assert_int_equal(p[0].addr, 0x100000);
	assert_int_equal(p[0].vma, 0);
	assert_int_equal(p[1].vma, 1);
	assert_int_equal(p[1].word, 0x8100000000005001);
	assert_int_equal(p[2].state, scan ? PAGE_ZERO : PAGE_PRESENT);
	assert_int_equal(p[3].state, PAGE_SWAPPED);
	assert_int_equal(p[3].vma, 1);
	assert_int_equal(p[4].vma, 2);
	assert_int_equal(pagemap_swap_offset(p[5].word), 3);
	assert_int_equal(p[6].state, PAGE_GUARD);
	assert_int_equal(p[7].addr, 0x200000);
	assert_int_equal(p[7].mapped, scan ? PAGE_MAPPED_PMD : PAGE_MAPPED_UNKNOWN);
	assert_int_equal(p[7 + 511].word, 0xa1000000000201ff);
	/* the second huge page is half exclusive */
	assert_int_equal(p[7 + 512 + 255].word, 0x81000000000300ff);
	assert_int_equal(p[7 + 512 + 256].word, 0x8000000000030100);
	assert_int_equal(p[7 + 1024].state, PAGE_MARKER);
	assert_int_equal(p[7 + 1024].vma, 4);
	assert_int_equal(p[7 + 1025].addr, 0x8000000000);
	assert_int_equal(p[7 + 1025].vma, 6);
}

static void test_recorded(void **state)
{
	(void)state;
	for (int scan = 0; scan < 2; scan++) {
		struct recorded recorded;
		struct seen *seen;

		recorded_open(&recorded, scan);
		seen = walk_all(&recorded.dir, &recorded.caps, WALK_MAPPED | WALK_EXCLUSIVE,
				recorded_vmas, COUNT(recorded_vmas));
		check_recorded(seen, scan);
		free(seen);
		recorded_close(&recorded);
	}
}

/* Without WALK_EXCLUSIVE a huge page is one span of one word. */
static void test_huge_is_one_span(void **state)
{
	struct recorded recorded;
	struct seen *seen;

	(void)state;
	recorded_open(&recorded, true);
	seen = walk_all(&recorded.dir, &recorded.caps, WALK_MAPPED, recorded_vmas + 3, 1);
	assert_int_equal(seen->spans, 2);
	assert_int_equal(seen->count, 1024);
	free(seen);
	/* where a mapping ends within it, its words are read */
	seen = walk_all(&recorded.dir, &recorded.caps, WALK_MAPPED,
			&(struct walk_vma){ 0x2ff000, 0x401000, 0 }, 1);
	assert_int_equal(seen->count, 256 + 2);
	assert_int_equal(seen->pages[0].word, 0xa1000000000200ff);
	assert_int_equal(seen->pages[0].mapped, PAGE_MAPPED_PMD);
	free(seen);
	recorded_close(&recorded);
}

static void test_frames_switched_off(void **state)
{
	struct recorded recorded;
	struct seen *seen;

	(void)state;
	recorded_open(&recorded, true);
	recorded.caps.reason[CAPS_FRAMES] = "switched off";
	seen = walk_all(&recorded.dir, &recorded.caps, WALK_MAPPED | WALK_EXCLUSIVE, recorded_vmas,
			COUNT(recorded_vmas));
	assert_int_equal(seen->count, 2 + 1 + 3 + 1 + 1024 + 1 + 1);
	for (size_t i = 0; i < seen->count; i++)
		assert_int_equal(seen->pages[i].word & PAGEMAP_PAYLOAD, 0);
	assert_int_equal(seen->pages[6].state, PAGE_GUARD);
	free(seen);
	recorded_close(&recorded);
}

static void test_sink_stops(void **state)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct recorded recorded;
	struct pagewalk walk;

	(void)state;
	assert_non_null(seen);
	recorded_open(&recorded, true);
	seen->page_size = 4096;
	seen->stop_after = 1;
	assert_int_equal(pagewalk_open(&walk, &recorded.dir, &recorded.caps, WALK_MAPPED, NULL), 0);
	assert_int_equal(pagewalk_run(&walk, recorded_vmas, 7, see, seen), 42);
	pagewalk_close(&walk);
	free(seen);
	recorded_close(&recorded);
}

/* Memory of our own, in every state that needs no rights, and its pagemap read plainly. */
struct own {
	struct meter meter;
	struct root root;
	struct procdir dir;
	struct caps caps;
	struct walk_vma vmas[8];
	size_t count;
	uint64_t size;
};

static char *own_map(struct own *own, size_t pages, int prot)
{
	char *p = mmap(NULL, (pages + 2) * own->size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(p != MAP_FAILED);
	p += own->size;
	assert_int_equal(mprotect(p, pages * own->size, prot), 0);
	madvise(p, pages * own->size, MADV_NOHUGEPAGE);
	own->vmas[own->count++] =
		(struct walk_vma){ (uintptr_t)p, (uintptr_t)p + pages * own->size, WALK_WHOLE };
	return p;
}

static int compare_vmas(const void *left, const void *right)
{
	const struct walk_vma *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void own_open(struct own *own)
{
	const size_t huge = 2 << 20;
	char *p;

	*own = (struct own){ .size = (uint64_t)sysconf(_SC_PAGESIZE) };
	assert_int_equal(root_open(&own->root, NULL, &own->meter, NULL), 0);
	assert_int_equal(procdir_open(&own->dir, &own->root, getpid(), NULL), 0);
	/* full, alternating, zero pages, guards */
	memset(own_map(own, 9000, PROT_READ | PROT_WRITE), 1, 9000 * own->size);
	p = own_map(own, 1000, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < 1000; i += 2)
		p[i * own->size] = 1;
	p = own_map(own, 100, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < 60; i++)
		(void)*(volatile char *)(p + i * own->size);
	madvise(p + 70 * own->size, 10 * own->size, 102);
	/* huge pages, if there are any today, and one of them in small pieces */
	p = own_map(own, 4 * huge / own->size, PROT_READ | PROT_WRITE);
	madvise(p, 4 * huge, MADV_HUGEPAGE);
	memset(p, 1, 4 * huge);
	madvise(p, 4 * huge, MADV_NOHUGEPAGE);	/* khugepaged must not mend what is broken here */
	p = (char *)(((uintptr_t)p + huge - 1) & ~(huge - 1));
	madvise(p, own->size, MADV_DONTNEED);
	/* far apart in much of nothing */
	p = own_map(own, (64ull << 30) / own->size, PROT_READ | PROT_WRITE);
	p[0] = p[40ull << 30] = p[(64ull << 30) - 1] = 1;
	qsort(own->vmas, own->count, sizeof(own->vmas[0]), compare_vmas);
}

static void own_close(struct own *own)
{
	for (size_t i = 0; i < own->count; i++)
		munmap((void *)(own->vmas[i].start - own->size),
		       own->vmas[i].end - own->vmas[i].start + 2 * own->size);
	procdir_close(&own->dir);
	root_close(&own->root);
}

/*
 * Every page that pagemap itself shows as not empty has to be there, with its word, and no other. Returns how
 * many have another frame by now: the kernel moves pages when it compacts memory.
 */
static size_t check_own(const struct own *own, const struct seen *seen, bool frames)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t words[4096];
	size_t at = 0, moved = 0;

	assert_true(fd >= 0);
	for (size_t i = 0; i < own->count; i++) {
		const struct walk_vma *vma = &own->vmas[i];
		uint64_t last = vma->end / own->size;

		for (uint64_t vpn = vma->start / own->size; vpn < last; vpn += COUNT(words)) {
			size_t n = last - vpn < COUNT(words) ? last - vpn : COUNT(words);

			assert_int_equal(pread(fd, words, n * 8, (off_t)(vpn * 8)), n * 8);
			for (size_t k = 0; k < n; k++) {
				uint64_t word = words[k];

				if (!word)
					continue;
				assert_int_equal(seen->pages[at].addr, (vpn + k) * own->size);
				assert_int_equal(seen->pages[at].vma, i);
				if (page_state(word) == PAGE_GUARD || !frames)
					word &= ~PAGEMAP_PAYLOAD;
				if (page_state(word) == PAGE_GUARD)
					assert_int_equal(seen->pages[at].state, PAGE_GUARD);
				else if ((seen->pages[at].word ^ word) & PAGEMAP_PAYLOAD)
					moved++;
				else
					assert_int_equal(seen->pages[at].word, word);
				at++;
			}
		}
	}
	close(fd);
	assert_int_equal(at, seen->count);
	return moved;
}

static size_t count_state(const struct seen *seen, enum page_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < seen->count; i++)
		count += seen->pages[i].state == state;
	return count;
}

/* By what pages are mapped is known where there is no room for a huge page, and else from a scan. */
static bool levels_known(const struct own *own, const struct seen *seen, unsigned want)
{
	bool known = want & WALK_MAPPED && caps_has(&own->caps, CAPS_SCAN);

	for (size_t i = 0; i < seen->count; i++) {
		const struct seen_page *page = &seen->pages[i];
		const struct walk_vma *vma = &own->vmas[page->vma];
		bool small = vma->end - vma->start < 2 << 20;

		if (known && small && page->mapped != PAGE_MAPPED_PTE)
			return false;
		if (known && page->mapped == PAGE_MAPPED_UNKNOWN)
			return false;
		if (!caps_has(&own->caps, CAPS_SCAN) && page->mapped != PAGE_MAPPED_UNKNOWN)
			return false;
	}
	return true;
}

static const struct own_case {
	const char *name;
	unsigned want, without;
	bool zero;	/* zero pages are told also without frame numbers */
} own_cases[] = {
	{ "all", WALK_MAPPED | WALK_EXCLUSIVE, 0, true },
	{ "without exactness in huge pages", WALK_MAPPED, 0, true },
	{ "scan where it pays", WALK_EXCLUSIVE, 0, false },
	{ "no guard", WALK_MAPPED | WALK_EXCLUSIVE, 1u << CAPS_GUARD, true },
	{ "no scan", WALK_MAPPED | WALK_EXCLUSIVE, 1u << CAPS_SCAN, false },
	{ "no frames", WALK_MAPPED | WALK_EXCLUSIVE, 1u << CAPS_FRAMES, true },
	{ "no flags", WALK_MAPPED | WALK_EXCLUSIVE, 1u << CAPS_FLAGS, true },
};

static void test_own(void **state)
{
	const char *preload = getenv("LD_PRELOAD");
	struct own own;

	(void)state;
	/* valgrind has no room for terabytes */
	if (preload && strstr(preload, "vgpreload"))
		skip();
	own_open(&own);
	for (size_t i = 0; i < COUNT(own_cases); i++) {
		const struct own_case *c = &own_cases[i];
		struct seen *seen = NULL;
		size_t zeros, moved = 1;

		caps_probe(&own.caps, &own.root, c->without);
		for (unsigned try = 0; moved && try < 10; try++) {
			free(seen);
			seen = walk_all(&own.dir, &own.caps, c->want, own.vmas, own.count);
			moved = check_own(&own, seen, caps_has(&own.caps, CAPS_FRAMES));
		}
		CHECK(c->name, !moved);
		CHECK(c->name, levels_known(&own, seen, c->want));
		zeros = caps_has(&own.caps, CAPS_SCAN) || caps_has(&own.caps, CAPS_FRAMES) ? 60 : 0;
		if (c->zero || caps_has(&own.caps, CAPS_FRAMES))
			CHECK(c->name, count_state(seen, PAGE_ZERO) == zeros);
		free(seen);
	}
	own_close(&own);
}

/* A process that ends under us: no pages is no answer. */
static void test_gone(void **state)
{
	struct walk_vma vma = { 0x10000, 0x20000000, 0 };
	struct meter meter = { .fast = true };
	struct pagewalk walk;
	struct procdir dir;
	struct caps caps;
	struct root root;
	struct seen *seen = calloc(1, sizeof(*seen));
	pid_t pid;

	(void)state;
	assert_non_null(seen);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	assert_int_equal(root_open(&root, NULL, &meter, NULL), 0);
	assert_int_equal(procdir_open(&dir, &root, pid, NULL), 0);
	caps_probe(&caps, &root, 0);
	seen->page_size = caps.page_size;
	assert_int_equal(pagewalk_open(&walk, &dir, &caps, WALK_MAPPED, NULL), 0);
	assert_true(pagewalk_is_alive(&walk));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(pagewalk_is_alive(&walk));
	assert_int_equal(pagewalk_run(&walk, &vma, 1, see, seen), -ESRCH);
	assert_int_equal(seen->count, 0);
	pagewalk_close(&walk);
	procdir_close(&dir);
	root_close(&root);
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_huge_is_one_span),
		cmocka_unit_test(test_frames_switched_off),
		cmocka_unit_test(test_sink_stops),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
