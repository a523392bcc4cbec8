/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What recordings have of the page cache, and what fdinfo has of open files. */
#include "unit.h"

#include "source/cache_list.h"
#include "source/open_files.h"

static const struct line_case {
	const char *line;
	size_t wrong;
	struct cache_entry entry;
} line_cases[] = {
	{ "fe:00 7 100 1 2 3 4 5", 0, { 0xfe00000000, 7, 100, CACHE_CACHESTAT, { 1, 2, 3, 4, 5 } } },
	{ "00:1c 7 100 1", 0, { 0x1c, 7, 100, CACHE_MINCORE, { .cached = 1 } } },
	{ "fe:00 7 100", 1, { 0 } },
	{ "fe:00 7 100 1 2 3 4", 1, { 0 } },
	{ "fe:00 7 100 1 2 3 4 5 6", 1, { 0 } },
	{ "fe 7 100 1", 1, { 0 } },
	{ "1fe000000:0 7 100 1", 1, { 0 } },
	{ "fe:00 7 x 1", 1, { 0 } },
	{ "fe:00 18446744073709551616 1 1", 1, { 0 } },
	{ "", 0, { 0 } },
};

static void take(void *ctx, const struct cache_entry *entry)
{
	*(struct cache_entry *)ctx = *entry;
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(line_cases); i++) {
		const struct line_case *one = &line_cases[i];
		struct cache_entry entry = { 0 };

		CHECK(one->line, cache_list_parse(bytes_of(one->line), take, &entry) == one->wrong);
		CHECK(one->line,
		      memcmp(&entry.counts, &one->entry.counts, sizeof(entry.counts)) == 0);
		CHECK(one->line, entry.dev == one->entry.dev && entry.inode == one->entry.inode);
		CHECK(one->line,
		      entry.size == one->entry.size && entry.source == one->entry.source);
	}
}

static void test_list(void **state)
{
	static const char text[] = "fe:00 7 100 1\nwrong\nfe:00 8 200 2 0 0 0 0\n";
	struct cache_entry entry = { 0 };

	(void)state;
	assert_int_equal(cache_list_parse(BYTES(text), take, &entry), 1);
	assert_int_equal(entry.inode, 8);
}

static void test_fdinfo(void **state)
{
	uint64_t mount = 0, inode = 0;

	(void)state;
	assert_true(open_file_parse(BYTES("pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t4711\n"),
				    &mount, &inode));
	assert_int_equal(mount, 29);
	assert_int_equal(inode, 4711);
	assert_false(
		open_file_parse(BYTES("pos:\t0\nflags:\t0100000\nmnt_id:\t29\n"), &mount, &inode));
	assert_false(open_file_parse(BYTES("ino:\t29\n"), &mount, &inode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_fdinfo),
	};

	return cmocka_run_group_tests_name("cache_list", tests, NULL, NULL);
}
