/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "unit.h"

#include "tree.h"

static const struct parse_case {
	const char *name, *text;
	int rc;
	size_t runs;
	uint64_t end;
	const char *why;
} parse_cases[] = {
	{ "empty", "", 0, 0, 0, NULL },
	{ "comments and blank lines", "# a\n\n   \n\t# b\n", 0, 0, 0, NULL },
	{ "one", "5 1 ff\n", 0, 1, 6, NULL },
	{ "no newline at the end", "5 1 ff", 0, 1, 6, NULL },
	{ "hex index, 0x value", "0x10 0x2 0xff\n", 0, 1, 18, NULL },
	{ "a step", "5 3 80 +1\n", 0, 1, 8, NULL },
	{ "a hex step and a comment", "5 3 80 +0x20 # swap\n", 0, 1, 8, NULL },
	{ "a comment without a blank", "5 3 80#x\n", 0, 1, 8, NULL },
	{ "carriage return", "5 3 80\r\n", 0, 1, 8, NULL },
	{ "neighbours", "5 3 80\n8 1 0\n", 0, 2, 9, NULL },
	{ "value of 64 bits", "0 1 ffffffffffffffff\n", 0, 1, 1, NULL },
	{ "no index", "x 1 2\n", -EPROTO, 0, 0, "line 1: no index" },
	{ "no count", "\n5\n", -EPROTO, 0, 0, "line 2: no count" },
	{ "count 0", "5 0 1\n", -EPROTO, 0, 0, "line 1: no count" },
	{ "no value", "5 1\n", -EPROTO, 0, 0, "line 1: no value" },
	{ "value too long", "5 1 10000000000000000\n", -EPROTO, 0, 0, "line 1: no value" },
	{ "value not hex", "5 1 zz\n", -EPROTO, 0, 0, "line 1: no value" },
	{ "value and letters", "5 1 ffz\n", -EPROTO, 0, 0, "line 1: no value" },
	{ "no step", "5 1 1 +\n", -EPROTO, 0, 0, "line 1: no step" },
	{ "more", "5 1 1 2\n", -EPROTO, 0, 0, "line 1: more than a run" },
	{ "overlap", "5 3 1\n7 1 1\n", -EPROTO, 0, 0, "line 2: not sorted" },
	{ "backwards", "5 3 1\n1 1 1\n", -EPROTO, 0, 0, "line 2: not sorted" },
	{ "index too big", "0x1000000000000000 1 1\n", -EPROTO, 0, 0, "line 1: out of range" },
	{ "end too big", "0xffffffffffffff0 0x20 1\n", -EPROTO, 0, 0, "line 1: out of range" },
	{ "last index of all", "0xffffffffffffffe 1 1\n", 0, 1, 0xfffffffffffffff, NULL },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		struct words_runs runs = { 0 };
		struct error err = { 0 };

		CHECK(c->name, words_parse(bytes_of(c->text), &runs, &err) == c->rc);
		CHECK(c->name, runs.count == c->runs);
		CHECK(c->name, runs.end == c->end);
		if (c->why)
			assert_string_equal(err.text, c->why);
		free(runs.run);
	}
}

static void test_get(void **state)
{
	static const char text[] = "2 3 10 +1\n5 1 99\n8 2 7\n";
	static const uint64_t want[] = { 0, 0, 0x10, 0x11, 0x12, 0x99, 0, 0, 7, 7 };
	struct words_runs runs;
	uint64_t got[16];

	(void)state;
	assert_int_equal(words_parse(BYTES(text), &runs, NULL), 0);
	for (uint64_t index = 0; index < 12; index++) {
		for (size_t count = 0; count < COUNT(got); count++) {
			size_t have = index < COUNT(want) ? COUNT(want) - index : 0;

			memset(got, 0xaa, sizeof(got));
			have = have < count ? have : count;
			assert_int_equal(words_runs_get(&runs, index, got, count), have);
			if (have)
				assert_memory_equal(got, want + index, have * sizeof(*got));
			if (have < COUNT(got))
				assert_int_equal(got[have], 0xaaaaaaaaaaaaaaaa);
		}
	}
	assert_int_equal(words_runs_find(&runs, 4), 0);
	assert_int_equal(words_runs_find(&runs, 6), 2);
	assert_int_equal(words_runs_find(&runs, 10), 3);
	free(runs.run);
}

static void test_recorded(void **state)
{
	static const struct tree_file files[] = {
		{ "proc/kpageflags", "1 2 5\n" },
		{ "proc/kpagecount", "oops\n" },
		{ "proc/7/pagemap", "0x10 1 8000000000000001\n" },
	};
	struct procdir dir;
	struct words words;
	struct error err;
	struct tree tree;
	uint64_t got[3];

	(void)state;
	tree_make(&tree, files, COUNT(files));
	assert_int_equal(words_open(&words, &tree.root, "proc/kpageflags", &err), 0);
	assert_true(words_is_open(&words));
	assert_int_equal(words_read(&words, 0, got, 3), 3);
	assert_int_equal(got[0], 0);
	assert_int_equal(got[2], 5);
	assert_int_equal(words_read(&words, 3, got, 3), 0);
	words_close(&words);
	assert_false(words_is_open(&words));
	assert_int_equal(words_open(&words, &tree.root, "proc/kpagecount", &err), -EPROTO);
	assert_non_null(strstr(err.text, "/proc/kpagecount: line 1: no index"));
	assert_int_equal(words_open(&words, &tree.root, "proc/kpagecgroup", &err), -ENOENT);
	assert_int_equal(procdir_open(&dir, &tree.root, 7, &err), 0);
	assert_int_equal(words_open_process(&words, &dir, "pagemap", &err), 0);
	assert_true(words.held);
	assert_int_equal(words_read(&words, 16, got, 3), 1);
	assert_int_equal(got[0], 0x8000000000000001);
	words_close(&words);
	procdir_close(&dir);
	tree_remove(&tree);
}

/* A page that was written is present, the one behind it is not; behind the end there is nothing. */
static void test_live(void **state)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct meter meter = { 0 };
	struct words words;
	struct procdir dir;
	struct root root;
	uint64_t got[2];

	(void)state;
	assert_true(pages != MAP_FAILED);
	madvise(pages, 2 * size, MADV_NOHUGEPAGE);
	pages[0] = 1;
	assert_int_equal(root_open(&root, NULL, &meter, NULL), 0);
	assert_int_equal(procdir_open(&dir, &root, getpid(), NULL), 0);
	assert_int_equal(words_open_process(&words, &dir, "pagemap", NULL), 0);
	assert_int_equal(words_read(&words, (uintptr_t)pages / size, got, 2), 2);
	assert_int_equal(got[0] >> 63, 1);
	assert_int_equal(got[1], 0);
	assert_int_equal(words_read(&words, INT64_MAX / 8 - 1, got, 2), 0);
	assert_int_equal(words_read(&words, UINT64_MAX, got, 2), 0);
	assert_int_equal(meter.bytes, 16);
	words_close(&words);
	procdir_close(&dir);
	root_close(&root);
	munmap(pages, 2 * size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
