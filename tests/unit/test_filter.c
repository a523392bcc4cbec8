/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/filter.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "rows.h"
#include "unit.h"

static const struct code_name bits[64] = {
	[0] = { "locked", "x" },
	[5] = { "lru", "x" },
};

static const struct code_name meanings[] = {
	{ "rd", "readable" },
	{ "wr", "writable" },
	{ "ex", "executable" },
	{ NULL, NULL },
};

static const struct column columns[] = {
	COLUMN(0, "rss", VALUE_BYTES, .needs = 1),
	COLUMN(1, "pid", VALUE_NUMBER, .needs = 2),
	COLUMN(2, "path", VALUE_TEXT, .needs = 4),
	COLUMN(3, "kind", VALUE_WORD),
	COLUMN(4, "start", VALUE_ADDR),
	COLUMN(5, "ratio", VALUE_RATIO),
	COLUMN(6, "age", VALUE_NS),
	COLUMN(7, "deleted", VALUE_BOOL),
	COLUMN(8, "flags", VALUE_BITS, .codes = bits),
	COLUMN(9, "delta", VALUE_DELTA),
	COLUMN(10, "swap.type", VALUE_COUNT, .needs = 8),
	COLUMN(11, "gone", VALUE_BYTES),
	COLUMN(12, "none", VALUE_TEXT),
	COLUMN(13, "args", VALUE_ARGS),
	COLUMN(14, "codes", VALUE_CODES),
	COLUMN(15, "dev", VALUE_DEV),
	COLUMN(14, "words", VALUE_MEANINGS, .codes = meanings),
};

static const struct column_set set = { columns, COUNT(columns) };

static const struct row row = { {
	{ .u = 1048576 },
	{ .i = -3 },
	{ .text = BYTES_INIT("/usr/lib/a b\0c") },
	{ .word = "elf" },
	{ .u = 0x7f00dead0000 },
	{ .d = 0.3 },
	{ .u = 1500000000 },
	{ .u = 1 },
	{ .u = 1ULL << 5 },
	{ .i = -4096 },
	{ .u = 0 },
	{ .reason = "denied" },
	{ .reason = "" },
	{ .text = BYTES_INIT("cat\0-n\0") },
	{ .text = BYTES_INIT("rd wr ht") },
	{ .u = 8ULL << 32 | 1 },
} };

/* What the row gives; 2 for an error. */
static int ask(const char *text)
{
	struct filter *filter = NULL;
	struct arena arena;
	int answer = 2;

	arena_init(&arena);
	if (filter_parse(&filter, &set, text, &arena, NULL) == 0)
		answer = filter_matches(filter, &row);
	filter_free(filter);
	arena_fini(&arena);
	return answer;
}

static const struct {
	const char *text;
	int answer;
} cases[] = {
	{ "rss", 1 },
	{ " rss ", 1 },
	{ "swap.type", 0 },
	{ "rss > 1M", 0 },
	{ "rss >= 1M", 1 },
	{ "rss>=1M", 1 },
	{ "rss = 1048576", 1 },
	{ "rss == 1024K", 1 },
	{ "rss == 1024KiB", 1 },
	{ "rss != 1M", 0 },
	{ "rss < 1.5M", 1 },
	{ "rss <= 0", 0 },
	{ "rss == '1M'", 1 },
	{ "rss ~ ^1048576$", 1 },
	{ "pid == -3", 1 },
	{ "pid < -2", 1 },
	{ "pid > -3", 0 },
	{ "pid ~ ^-3$", 1 },
	{ "delta", 1 },
	{ "delta == -4K", 1 },
	{ "kind == elf", 1 },
	{ "kind == \"elf\"", 1 },
	{ "kind == el", 0 },
	{ "kind != file", 1 },
	{ "kind ~ ^e.f$", 1 },
	{ "kind !~ e", 0 },
	{ "kind > egg", 1 },
	{ "path ~ ^/usr/lib", 1 },
	{ "path ~ \"a b\"", 1 },
	{ "path ~ 'a b'", 1 },
	{ "path ~ \"'\"", 0 },
	/* a NUL does not end it */
	{ "path ~ c$", 1 },
	{ "path ~ b$", 0 },
	{ "path == '/usr/lib/a b'", 0 },
	{ "path !~ ^/opt", 1 },
	{ "path ~ (lib|opt)", 2 },
	{ "path ~ '(lib|opt)'", 1 },
	{ "path ~ lib|opt", 1 },
	{ "path ~ ''", 1 },
	{ "start == 7f00dead0000", 1 },
	{ "start == 0x7f00dead0000", 1 },
	{ "start >= 0x7f0000000000 && start < 0x7f0100000000", 1 },
	{ "start ~ dead", 1 },
	{ "ratio == 30%", 1 },
	{ "ratio == 0.3", 1 },
	{ "ratio > 29.9%", 1 },
	{ "ratio > 30%", 0 },
	{ "ratio < 1", 1 },
	{ "ratio", 1 },
	{ "ratio ~ '^0[.]3$'", 1 },
	{ "age == 1.5", 1 },
	{ "age == 1.5s", 1 },
	{ "age > 1499ms", 1 },
	{ "age < 1h", 1 },
	{ "deleted", 1 },
	{ "deleted == true", 1 },
	{ "deleted == 1", 1 },
	{ "deleted != false", 1 },
	{ "!deleted", 0 },
	{ "flags", 1 },
	{ "flags ~ lru", 1 },
	{ "flags ~ locked", 0 },
	{ "flags !~ locked", 1 },
	{ "args ~ -n", 1 },
	{ "args", 1 },
	{ "codes ~ ht", 1 },
	{ "codes ~ '\\bwr\\b'", 1 },
	{ "words ~ writable", 1 },
	{ "words ~ '^readable, writable, ht$'", 1 },
	{ "words ~ '\\bwr\\b'", 0 },
	{ "words !~ executable", 1 },
	{ "words", 1 },
	{ "dev ~ '^08:01$'", 1 },
	{ "dev == 08:01", 1 },
	{ "dev == 8:1", 1 },
	{ "dev != 08:02", 1 },
	{ "rss && swap.type", 0 },
	{ "rss || swap.type", 1 },
	{ "swap.type || swap.type || rss", 1 },
	{ "rss && rss && swap.type", 0 },
	/* && binds closer than || */
	{ "rss || rss && swap.type", 1 },
	{ "(rss || rss) && swap.type", 0 },
	{ "swap.type && rss || rss", 1 },
	{ "!swap.type", 1 },
	{ "!!rss", 1 },
	{ "! rss || rss", 1 },
	{ "!(rss && swap.type)", 1 },
	{ "!(rss || swap.type)", 0 },
	{ "((((rss))))", 1 },
	{ "(rss)&&(pid==-3)", 1 },
	{ "rss>1&&pid<0", 1 },
	{ "rss\t>\n1", 1 },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (ask(cases[i].text) != cases[i].answer)
			print_error("%s: %d, not %d\n", cases[i].text, ask(cases[i].text),
				    cases[i].answer);
		assert_int_equal(ask(cases[i].text), cases[i].answer);
	}
}

/* What is not known is neither true nor false, and not made so by turning it round. */
static void test_absent(void **state)
{
	static const struct {
		const char *text;
		int answer;
	} absent[] = {
		{ "gone", 0 },
		{ "gone > 1", 0 },
		{ "gone <= 1", 0 },
		{ "gone == 0", 0 },
		{ "gone != 0", 0 },
		{ "gone ~ .", 0 },
		{ "gone !~ .", 0 },
		{ "none == ''", 0 },
		{ "none != ''", 0 },
		{ "!gone", 0 },
		{ "!(gone > 1)", 0 },
		{ "!!gone", 0 },
		{ "!none", 0 },
		{ "gone || rss", 1 },
		{ "rss || gone", 1 },
		{ "gone && rss", 0 },
		{ "!(gone && rss)", 0 },
		{ "!(gone && swap.type)", 1 },
		{ "!(swap.type && gone)", 1 },
		{ "!(gone || rss)", 0 },
		{ "!(gone || swap.type)", 0 },
		{ "!(gone || swap.type) || rss", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(absent); i++)
		CHECK(absent[i].text, ask(absent[i].text) == absent[i].answer);
}

static const struct {
	const char *text, *what;
	unsigned place;
} errors[] = {
	{ "", "a column is missing", 1 },
	{ "   ", "a column is missing", 4 },
	{ "(", "a column is missing", 2 },
	{ ")", "a column is missing", 1 },
	{ "()", "a column is missing", 2 },
	{ "!", "a column is missing", 2 },
	{ "&& rss", "a column is missing", 1 },
	{ "rss &&", "a column is missing", 7 },
	{ "rss || ", "a column is missing", 8 },
	{ "rss && || rss", "a column is missing", 8 },
	{ "== 1", "a column is missing", 1 },
	{ "= 1", "a column is missing", 1 },
	{ "'rss' > 1", "a column is missing", 1 },
	{ "ghost", "no such column (try --columns=help)", 1 },
	{ "rss > 1 && ghost > 1", "no such column (try --columns=help)", 12 },
	{ "Rss", "no such column (did you mean 'rss'?)", 1 },
	{ "swap", "no such column (try --columns=help)", 1 },
	{ "rss >", "a value is missing", 6 },
	{ "rss > && rss", "a value is missing", 7 },
	{ "rss > )", "a value is missing", 7 },
	{ "(rss > )", "a value is missing", 8 },
	{ "path ~", "a value is missing", 7 },
	{ "path == \"abc", "a quote is not closed", 9 },
	{ "path == '", "a quote is not closed", 9 },
	{ "path == 'a\"", "a quote is not closed", 9 },
	{ "rss > x", "a value that its column can not have", 7 },
	{ "rss > -1", "a value that its column can not have", 7 },
	{ "rss > 30%", "a value that its column can not have", 7 },
	{ "rss > 16E", "a value that its column can not have", 7 },
	{ "rss > ''", "a value that its column can not have", 7 },
	{ "rss > 1M1", "a value that its column can not have", 7 },
	{ "rss === 1", "a value that its column can not have", 7 },
	{ "pid == --1", "a value that its column can not have", 8 },
	{ "pid == 9223372036854775808", "a value that its column can not have", 8 },
	{ "start == 0x", "a value that its column can not have", 10 },
	{ "start > 1ffffffffffffffff", "a value that its column can not have", 9 },
	{ "ratio > x", "a value that its column can not have", 9 },
	{ "ratio > 30%%", "a value that its column can not have", 9 },
	{ "ratio > %", "a value that its column can not have", 9 },
	{ "ratio > nan", "a value that its column can not have", 9 },
	{ "ratio == inf", "a value that its column can not have", 10 },
	{ "ratio > 1e999", "a value that its column can not have", 9 },
	{ "ratio > 0x1", "a value that its column can not have", 9 },
	{ "age > 1d", "a value that its column can not have", 7 },
	{ "deleted == maybe", "a value that its column can not have", 12 },
	{ "flags == 32", "a value that its column can not have", 10 },
	{ "flags == lru", "a value that its column can not have", 10 },
	{ "dev == 8", "a value that its column can not have", 8 },
	{ "dev == 8:1:", "a value that its column can not have", 8 },
	{ "dev == 8:x", "a value that its column can not have", 8 },
	{ "dev == 100000000:0", "a value that its column can not have", 8 },
	{ "rss > 1 2", "something that does not belong here", 9 },
	{ "rss rss", "something that does not belong here", 5 },
	{ "rss)", "something that does not belong here", 4 },
	{ "rss & rss", "something that does not belong here", 5 },
	{ "rss | rss", "something that does not belong here", 5 },
	{ "rss !pid", "something that does not belong here", 5 },
	{ "(rss) pid", "something that does not belong here", 7 },
	{ "path == 'a'b", "something that does not belong here", 12 },
	{ "(rss", "a parenthesis is not closed", 5 },
	{ "((rss)", "a parenthesis is not closed", 7 },
	{ "(rss > 1 && (pid)", "a parenthesis is not closed", 18 },
	{ "path ~ '('", "Unmatched ( or \\(", 8 },
	{ "path ~ 'a{2'", "Unmatched \\{", 8 },
	{ "path ~ 'a{2,1}'", "Invalid content of \\{\\}", 8 },
	{ "path ~ '(a{100}){11}'", "too big a regular expression", 8 },
	{ "path ~ '(.*)\\1'", "a regular expression that refers back", 8 },
	{ "path ~ '\\'", "Trailing backslash", 8 },
	{ "path ~ '[[:nope:]]'", "Invalid character class name", 8 },
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct filter *filter = (struct filter *)(uintptr_t)4711;
		struct error err = { 0 };
		struct arena arena;
		char *want;

		arena_init(&arena);
		assert_int_equal(filter_parse(&filter, &set, errors[i].text, &arena, &err),
				 -EINVAL);
		assert_null(filter);
		assert_int_equal(err.code, EINVAL);
		want = arena_printf(&arena, "filter: %s at column %u of '%s'", errors[i].what,
				    errors[i].place, errors[i].text);
		check_bytes(errors[i].text, bytes_of(err.text), bytes_of(want));
		arena_fini(&arena);
	}
}

static const char *repeated(struct arena *arena, const char *before, const char *middle,
			    const char *after, size_t count)
{
	struct out out;
	struct bytes all;

	out_init_memory(&out);
	for (size_t i = 0; i < count; i++)
		out_str(&out, before);
	out_str(&out, middle);
	for (size_t i = 0; i < count; i++)
		out_str(&out, after);
	all = arena_bytes(arena, (struct bytes){ out.buf, out.len });
	out_fini(&out);
	return all.data;
}

static void test_depth(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(ask(repeated(&arena, "(", "rss", ")", 63)), 1);
	assert_int_equal(ask(repeated(&arena, "!", "rss", "", 62)), 1);
	assert_int_equal(ask(repeated(&arena, "!(", "rss", ")", 31)), 0);
	assert_int_equal(ask(repeated(&arena, "(", "rss", ")", 64)), 2);
	assert_int_equal(ask(repeated(&arena, "!", "rss", "", 64)), 2);
	assert_int_equal(ask(repeated(&arena, "(", "rss", ")", 100000)), 2);
	assert_int_equal(ask(repeated(&arena, "!", "rss", "", 100000)), 2);
	arena_fini(&arena);
}

/* As long as an argument can be: no stack is used up, however it is made. */
static void test_long(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(ask(repeated(&arena, "rss&&", "rss", "", 200)), 1);
	assert_int_equal(ask(repeated(&arena, "rss&&", "rss", "", 26000)), 2);
	assert_int_equal(ask(repeated(&arena, "rss||", "rss", "", 26000)), 2);
	assert_int_equal(ask(repeated(&arena, "path ~ '", "(", "", 1)), 2);
	assert_int_equal(ask(repeated(&arena, "", "path ~ ", "x", 120000)), 2);
	arena_fini(&arena);
}

/* Expressions of the C library that need a deep stack or much memory are refused. */
static void test_regex_bombs(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(
		ask(arena_printf(&arena, "path ~ '%s'", repeated(&arena, "(", "a", ")", 60000))),
		2);
	assert_int_equal(
		ask(arena_printf(&arena, "path ~ '%s'", repeated(&arena, "(", "a", "", 60000))), 2);
	assert_int_equal(ask("path ~ '((((a{1,255}){1,255}){1,255}){1,255}){1,255}'"), 2);
	assert_int_equal(ask("path ~ 'a{1,255}{1,255}{1,255}'"), 2);
	assert_int_equal(ask("path ~ '(a?{1,255}+)?{1,255}'"), 2);
	assert_int_equal(ask("path ~ a++++++++++++++++++++++++++++++++++++++++++++++++++"), 2);
	assert_int_equal(ask("path ~ a+++"), 1);
	assert_int_equal(ask("path ~ '((((((((((a{2}){2}){2}){2}){2}){2}){2}){2}){2}){2}'"), 2);
	assert_int_equal(ask("path ~ '[ab]{99999999999999999999}'"), 2);
	assert_int_equal(ask("path ~ '(a{32}){32}'"), 2);
	assert_int_equal(ask("path ~ '(a{30}){30}'"), 0);
	assert_int_equal(ask("path ~ '(.)(.)\\2'"), 2);
	assert_int_equal(ask("path ~ '\\\\1'"), 0);
	assert_int_equal(
		ask("path ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"), 0);
	assert_int_equal(ask("path ~ '[]{255}]'"), 0);
	assert_int_equal(ask("path ~ '[^]{255}]'"), 1);
	assert_int_equal(ask("path ~ 'a\\{255,255\\}'"), 0);
	assert_int_equal(ask("path ~ '[[:alpha:]]{3}/'"), 1);
	assert_int_equal(ask("path ~ '(a{1,9}){1,9}'"), 1);
	assert_int_equal(ask("path ~ '^(/[a-z]{3}){2}'"), 1);
	arena_fini(&arena);
}

static void test_needs(void **state)
{
	struct filter *filter;
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(filter_parse(&filter, &set, "!(rss > 1 || swap.type) && path ~ x", &arena,
				      NULL),
			 0);
	assert_int_equal(filter_needs(filter), 1 | 4 | 8);
	filter_free(filter);
	filter_free(filter);
	assert_int_equal(filter_parse(&filter, &set, NULL, &arena, NULL), 0);
	assert_null(filter);
	assert_int_equal(filter_needs(NULL), 0);
	assert_true(filter_matches(NULL, &row));
	filter_free(NULL);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_absent),
		cmocka_unit_test(test_errors),	cmocka_unit_test(test_depth),
		cmocka_unit_test(test_long),	cmocka_unit_test(test_regex_bombs),
		cmocka_unit_test(test_needs),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
