/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/numa_maps.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "source/nodes.h"
#include "unit.h"

static const struct line_case {
	const char *name, *text;
	size_t count, malformed;
	uint64_t start;
	const char *policy;
	size_t shares;
	struct numa_share last;
	uint64_t page_size;
} line_cases[] = {
	{ "empty", "", 0, 0, 0, NULL, 0, { 0, 0 }, 0 },
	{ "no page", "1000 default\n", 1, 0, 0x1000, "default", 0, { 0, 0 }, 4096 },
	{ "no newline", "1000 default N0=2", 1, 0, 0x1000, "default", 1, { 0, 8192 }, 4096 },
	{ "two nodes",
	  "1000 bind:0-1 anon=3 N0=1 N1=2 kernelpagesize_kB=4\n",
	  1,
	  0,
	  0x1000,
	  "bind:0-1",
	  2,
	  { 1, 8192 },
	  4096 },
	{ "policy of two words",
	  "1000 weighted interleave:0-3 heap N3=1 kernelpagesize_kB=4\n",
	  1,
	  0,
	  0x1000,
	  "weighted interleave:0-3",
	  1,
	  { 3, 4096 },
	  4096 },
	{ "policy with =",
	  "1000 prefer=relative|balancing:1 N1=1\n",
	  1,
	  0,
	  0x1000,
	  "prefer=relative|balancing:1",
	  1,
	  { 1, 4096 },
	  4096 },
	{ "pages of 64 KiB",
	  "1000 default N0=3 kernelpagesize_kB=64\n",
	  1,
	  0,
	  0x1000,
	  "default",
	  1,
	  { 0, 196608 },
	  65536 },
	{ "hugetlb",
	  "200000 default file=/a\\040huge huge N5=3 kernelpagesize_kB=2048\n",
	  1,
	  0,
	  0x200000,
	  "default",
	  1,
	  { 5, 6291456 },
	  2097152 },
	{ "hugetlb without unit",
	  "200000 default huge N5=3\n",
	  1,
	  0,
	  0x200000,
	  "default",
	  0,
	  { 0, 0 },
	  0 },
	{ "key of a kernel to come",
	  "1000 default new=1 N0=1\n",
	  1,
	  0,
	  0x1000,
	  "default new=1",
	  1,
	  { 0, 4096 },
	  4096 },
	{ "node beyond all",
	  "1000 default anon=1 N1024=1\n",
	  1,
	  0,
	  0x1000,
	  "default",
	  0,
	  { 0, 0 },
	  4096 },
	{ "nodes that fall",
	  "1000 default N1=1 N0=1\n",
	  1,
	  0,
	  0x1000,
	  "default",
	  1,
	  { 1, 4096 },
	  4096 },
	{ "too many bytes", "1000 default N0=18446744073709551615\n", 0, 1, 0, NULL, 0, { 0, 0 }, 0 },
	{ "no address", "default N0=1\n", 0, 1, 0, NULL, 0, { 0, 0 }, 0 },
	{ "no policy", "1000 N0=1\n", 0, 1, 0, NULL, 0, { 0, 0 }, 0 },
	{ "backwards",
	  "2000 default N1=1\n1000 default N0=1\n",
	  1,
	  1,
	  0x2000,
	  "default",
	  1,
	  { 1, 4096 },
	  4096 },
};

static void check_vma(const struct line_case *c, const struct numa_vma *vma)
{
	check_bytes(c->name, vma->policy, bytes_of(c->policy));
	CHECK(c->name, vma->share_count == c->shares && vma->page_size == c->page_size);
	if (c->shares)
		CHECK(c->name, vma->shares[c->shares - 1].node == c->last.node &&
				       vma->shares[c->shares - 1].bytes == c->last.bytes);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(line_cases); i++) {
		const struct line_case *c = &line_cases[i];
		const struct numa_vma *vma;
		struct numa_maps maps;
		struct arena arena;

		arena_init(&arena);
		numa_maps_parse(bytes_of(c->text), 4096, &arena, &maps);
		CHECK(c->name, maps.count == c->count && maps.malformed == c->malformed);
		vma = numa_maps_find(&maps, c->start);
		CHECK(c->name, !vma == !c->count);
		if (vma)
			check_vma(c, vma);
		arena_fini(&arena);
	}
}

static void test_find(void **state)
{
	struct numa_maps maps;
	struct arena arena;

	(void)state;
	arena_init(&arena);
	numa_maps_parse(BYTES("1000 default\n3000 bind:0\n9000 default huge N0=1\nx\n"), 4096,
			&arena, &maps);
	assert_int_equal(maps.count, 3);
	assert_int_equal(maps.first_malformed, 4);
	assert_ptr_equal(numa_maps_find(&maps, 0x3000), &maps.vmas[1]);
	assert_null(numa_maps_find(&maps, 0x2000));
	assert_null(numa_maps_find(&maps, 0xa000));
	assert_true(maps.vmas[2].no_unit);
	arena_fini(&arena);
}

static const struct list_case {
	const char *name, *text;
	int count;
	uint32_t last;
} list_cases[] = {
	{ "empty", "\n", 0, 0 },
	{ "one", "0\n", 1, 0 },
	{ "range", "0-3\n", 1, 3 },
	{ "both", "0-3,8,10-11\n", 3, 11 },
	{ "backwards", "3-0\n", -EPROTO, 0 },
	{ "a letter", "0-x\n", -EPROTO, 0 },
	{ "comma at the end", "0,\n", -EPROTO, 0 },
	{ "too big", "4294967296\n", -EPROTO, 0 },
};

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(list_cases); i++) {
		const struct list_case *c = &list_cases[i];
		struct number_range *ranges;
		struct arena arena;

		arena_init(&arena);
		CHECK(c->name, number_list_parse(bytes_of(c->text), &arena, &ranges) == c->count);
		if (c->count > 0)
			CHECK(c->name, ranges[c->count - 1].last == c->last);
		arena_fini(&arena);
	}
}

static void test_processor(void **state)
{
	static const char rest[] =
		" S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 2 0 5000 8 1 9 1 1 1 0 0 0 0 0 0 0 0 "
		"0 17 5 0 0\n";
	char text[256];
	uint64_t cpu;

	(void)state;
	snprintf(text, sizeof(text), "1 (a) S 1)%s", rest);
	assert_true(stat_processor(bytes_of(text), &cpu));
	assert_int_equal(cpu, 5);
	assert_false(stat_processor(BYTES("1 (a) S 1 2 3"), &cpu));
	assert_false(stat_processor(BYTES(""), &cpu));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
