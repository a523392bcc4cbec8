/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smaller pieces of `vmview pages`: ranges, sums over pages, frames of big mappings. */
#include <errno.h>
#include <stdlib.h>

#include "analysis/page_summary.h"
#include "analysis/range.h"
#include "base/error.h"
#include "model/vma.h"
#include "source/frames.h"
#include "unit.h"

#include "tree.h"

static const struct range_case {
	const char *text;
	int rc;
	enum range_type type;
	uint64_t start, end;
} range_cases[] = {
	{ "7f00", 0, RANGE_MAPPING, 0x7f00, 0 },
	{ "0x7f00", 0, RANGE_MAPPING, 0x7f00, 0 },
	{ "cafe", 0, RANGE_MAPPING, 0xcafe, 0 },
	{ "1000-2000", 0, RANGE_SPAN, 0x1000, 0x2000 },
	{ "0x1000,0x2000", 0, RANGE_SPAN, 0x1000, 0x2000 },
	{ "1000+0x800", 0, RANGE_SPAN, 0x1000, 0x1800 },
	{ "1000+64K", 0, RANGE_SPAN, 0x1000, 0x11000 },
	{ "1000+16", 0, RANGE_SPAN, 0x1000, 0x1010 },
	{ "ffffffffffffff00+1M", 0, RANGE_SPAN, 0xffffffffffffff00, UINT64_MAX },
	{ "2000-1000", -EINVAL, RANGE_ALL, 0, 0 },
	{ "1000-1000", -EINVAL, RANGE_ALL, 0, 0 },
	{ "1000+0", -EINVAL, RANGE_ALL, 0, 0 },
	{ "", -EINVAL, RANGE_ALL, 0, 0 },
	{ "heap", 0, RANGE_NAME, 0, 0 },
	{ "libc-2.36.so", 0, RANGE_NAME, 0, 0 },
	{ "1000-", 0, RANGE_NAME, 0, 0 },
	{ "10000000000000000", 0, RANGE_NAME, 0, 0 },
};

static void test_range_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(range_cases); i++) {
		const struct range_case *c = &range_cases[i];
		struct range range = { 0 };
		struct error err;

		CHECK(c->text, range_parse(&range, c->text, &err) == c->rc);
		CHECK(c->text, range.type == c->type);
		CHECK(c->text, range.start == c->start && range.end == c->end);
	}
}

static const struct name_case {
	const char *name, *path;
	enum vma_kind kind;
	bool match;
} name_cases[] = {
	{ "heap", "[heap]", KIND_HEAP, true },
	{ "[heap]", "[heap]", KIND_HEAP, true },
	{ "stack", "[stack]", KIND_STACK, true },
	{ "thread-stack", "", KIND_THREAD_STACK, true },
	{ "anon", "", KIND_ANON, true },
	{ "anon", "", KIND_UNKNOWN, false },
	{ "libc", "/usr/lib/libc.so.6", KIND_ELF, true },
	{ "libc", "/usr/lib/libc-2.36.so", KIND_ELF, true },
	{ "libc", "/usr/lib/libcrypt.so.1", KIND_ELF, false },
	{ "libc.so.6", "/usr/lib/libc.so.6", KIND_ELF, true },
	{ "/usr/lib/libc.so.6", "/usr/lib/libc.so.6", KIND_ELF, true },
	{ "lib", "/usr/lib/libc.so.6", KIND_ELF, false },
	{ "unknown", "/x", KIND_UNKNOWN, false },
	{ "x", "", KIND_ANON, false },
	{ "[", "[", KIND_ANON, true },
};

static void test_range_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(name_cases); i++) {
		const struct name_case *c = &name_cases[i];
		struct vma vma = {
			.start = 0x1000, .end = 0x3000, .path = bytes_of(c->path), .kind = c->kind
		};
		struct range range;
		uint64_t start, end;

		assert_int_equal(range_parse(&range, c->name, NULL), 0);
		CHECK(c->name, range_of(&range, &vma, 4096, &start, &end) == c->match);
		CHECK(c->name, start == 0x1000 && end == 0x3000);
	}
}

static void test_range_spans(void **state)
{
	const struct vma vma = { .start = 0x10000, .end = 0x20000 };
	struct range range = { .type = RANGE_SPAN, .start = 0x11001, .end = 0x12001 };
	uint64_t start, end;

	(void)state;
	assert_true(range_of(&range, &vma, 4096, &start, &end));
	assert_int_equal(start, 0x11000);
	assert_int_equal(end, 0x13000);
	range.end = UINT64_MAX;
	assert_true(range_of(&range, &vma, 4096, &start, &end));
	assert_int_equal(end, 0x20000);
	range = (struct range){ .type = RANGE_SPAN, .start = 0, .end = 0x10000 };
	assert_false(range_of(&range, &vma, 4096, &start, &end));
	range.end = 0x10001;
	assert_true(range_of(&range, &vma, 4096, &start, &end));
	assert_int_equal(end, 0x11000);
	range.start = 0x20000, range.end = 0x30000;
	assert_false(range_of(&range, &vma, 4096, &start, &end));
	range = (struct range){ .type = RANGE_MAPPING, .start = 0x1ffff };
	assert_true(range_of(&range, &vma, 4096, &start, &end));
	range.start = 0x20000;
	assert_false(range_of(&range, &vma, 4096, &start, &end));
}

static void test_summary(void **state)
{
	struct page_summary summary, total;

	(void)state;
	page_summary_init(&summary, 0x100000, 0x200000, 4096, 2 << 20);
	page_summary_add(&summary, 0x100000, 0x8100000000000010, 16, PAGE_PRESENT, PAGE_MAPPED_PTE);
	page_summary_add(&summary, 0x110000, 0xa080000000000020, 1, PAGE_PRESENT, PAGE_MAPPED_PTE);
	page_summary_add(&summary, 0x120000, 0x8000000000000030, 2, PAGE_ZERO, PAGE_MAPPED_PTE);
	page_summary_add(&summary, 0x130000, 0x4200000000000020, 3, PAGE_SWAPPED, PAGE_MAPPED_PTE);
	page_summary_add(&summary, 0x140000, 0x4400000000000000, 4, PAGE_GUARD, PAGE_MAPPED_PTE);
	flag_sets_add(&summary.flags, 5, 17);
	page_summary_end(&summary);
	assert_int_equal(summary.state[PAGE_PRESENT], 17);
	assert_int_equal(summary.state[PAGE_ZERO], 2);
	assert_int_equal(summary.state[PAGE_SWAPPED], 3);
	assert_int_equal(summary.state[PAGE_GUARD], 4);
	assert_int_equal(summary.state[PAGE_EMPTY], 256 - 26);
	assert_int_equal(summary.exclusive, 16);
	assert_int_equal(summary.file, 1);
	assert_int_equal(summary.soft_dirty, 1);
	assert_int_equal(summary.uffd_wp, 3);
	assert_int_equal(summary.mapped[PAGE_MAPPED_PTE], 19);
	/* frame 0x20 goes on where the run from 0x10 ends */
	assert_int_equal(summary.contiguity.runs, 1);
	assert_int_equal(summary.contiguity.longest, 17);
	assert_int_equal(summary.contiguity.small.pages, 16);
	assert_false(summary.hidden);
	page_summary_init(&total, 0, 0, 4096, 2 << 20);
	page_summary_merge(&total, &summary);
	page_summary_merge(&total, &summary);
	assert_int_equal(total.state[PAGE_PRESENT], 34);
	assert_int_equal(total.size, 2 << 20);
	assert_int_equal(total.flags.sets[0].pages, 34);
	page_summary_fini(&summary);
	page_summary_fini(&total);
	page_summary_init(&summary, 0, 0x10000, 4096, 0);
	page_summary_add(&summary, 0, 0x8100000000000000, 1, PAGE_PRESENT, PAGE_MAPPED_PTE);
	assert_true(summary.hidden);
	page_summary_fini(&summary);
}

/* What frames_read_bits() gave, frame by frame. */
struct bits_got {
	uint64_t frames, sum, last;
};

static void take_bits(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct bits_got *got = ctx;

	assert_int_equal(run->tag, 7);
	assert_true(!got->frames || run->pfn > got->last);
	for (uint32_t i = 0; i < run->count; i++) {
		got->last = run->pfn + i;
		got->frames++;
		if (words)
			assert_int_equal(words[i], 0x1000000 + got->last);
		got->sum += got->last;
	}
}

static void test_frame_bits(void **state)
{
	static const struct tree_file files[] = { { "proc/kpageflags", "0 100000 1000000 +1\n" } };
	struct bits_got got = { 0 };
	struct frame_bits bits = { 0 };
	struct frames frames;
	struct tree tree;
	struct caps caps;
	uint64_t sum = 0, added = 0;

	(void)state;
	tree_make(&tree, files, COUNT(files));
	caps_probe(&caps, &tree.root, 0);
	frames_open(&frames, &tree.root, &caps);
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t pfn = i * 7919 % 99991;

		/* slab's garbage bits would be masked: not those */
		if (pfn & PAGE_FLAG(SLAB))
			continue;
		assert_int_equal(frame_bits_add(&bits, pfn, 1), 1);
		sum += pfn;
		added++;
	}
	assert_int_equal(frame_bits_add(&bits, 0, 1), 0);
	/* a run over the border of a chunk, that ends at a frame which is in it */
	assert_int_equal(frame_bits_add(&bits, 200000 - 1, 1), 1);
	assert_int_equal(frame_bits_add(&bits, 6 * FRAME_CHUNK - 10, 3402), 3401);
	assert_int_equal(bits.frames, added + 3402);
	assert_int_equal(frame_bits_add(&bits, 1ull << 40, 1), 0);
	frames_read_bits(&frames, FRAME_FLAGS, &bits, 7, take_bits, &got);
	assert_int_equal(got.frames, added + 3402);
	assert_int_equal(bits.frames, 0);
	assert_true(got.sum > sum);
	/* no room: the rest has to go elsewhere */
	for (uint64_t i = 0; i < FRAME_CHUNKS_USED; i++)
		assert_int_equal(frame_bits_add(&bits, i * FRAME_CHUNK, 1), 1);
	assert_int_equal(frame_bits_add(&bits, (uint64_t)FRAME_CHUNKS_USED * FRAME_CHUNK, 1), 0);
	assert_int_equal(frame_bits_add(&bits, (uint64_t)FRAME_CHUNKS_USED * FRAME_CHUNK - 1, 2),
			 1);
	frame_bits_fini(&bits);
	frames_close(&frames);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_parse), cmocka_unit_test(test_range_names),
		cmocka_unit_test(test_range_spans), cmocka_unit_test(test_summary),
		cmocka_unit_test(test_frame_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
