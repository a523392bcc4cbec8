/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/options.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "unit.h"

struct values {
	bool flag, other;
	uint64_t times, size, count, time;
	const char *text, *when;
	struct option_texts texts;
};

#define AT(member) offsetof(struct values, member)

static const struct option_row first[] = {
	{ 'f', "flag", NULL, OPTION_FLAG, AT(flag), "a flag" },
	{ 'X', NULL, NULL, OPTION_TIMES, AT(times), "more" },
	{ 't', "text", "TEXT", OPTION_TEXT, AT(text), "a text" },
	{ 0, "a-name-as-long-as-few-are", "SIZE", OPTION_SIZE, AT(size), "a size" },
	{ 0, "hidden", NULL, OPTION_FLAG, AT(other), NULL },
};

static const struct option_row second[] = {
	{ 0, "size", "SIZE", OPTION_SIZE, AT(size), "a size" },
	{ 'n', "count", "N", OPTION_COUNT, AT(count), "a number" },
	{ 0, "time", "TIME", OPTION_TIME, AT(time), "a time" },
	{ 0, "when", "WHEN", OPTION_OPTIONAL, AT(when), "a choice" },
	{ 0, "other", NULL, OPTION_FLAG, AT(other), "another" },
	{ 'm', "many", "TEXT", OPTION_TEXTS, AT(texts), "texts" },
};

struct parsed {
	struct values values;
	struct error err;
	char line[256], *argv[40];
	int argc, operands, rc;
};

/* The words of line, with a blank between two. */
static void split(struct parsed *parsed, const char *line)
{
	*parsed = (struct parsed){ .operands = -1 };
	snprintf(parsed->line, sizeof(parsed->line), "%s", line);
	for (char *at = parsed->line; at; at = strchr(at, ' ')) {
		if (*at == ' ')
			*at++ = '\0';
		parsed->argv[parsed->argc++] = at;
	}
}

static const struct parsed *parse(struct parsed *parsed, const char *line)
{
	const struct option_table tables[] = { { first, COUNT(first), &parsed->values },
					       { second, COUNT(second), &parsed->values } };

	split(parsed, line);
	parsed->rc = options_parse(tables, 2, parsed->argc, parsed->argv, &parsed->operands,
				   &parsed->err);
	return parsed;
}

static void test_values(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(
		parse(&p, "x -f -XX -X -t a --size=1.5K -n 0x10 --time 200ms --when=now b c")->rc,
		0);
	assert_true(p.values.flag);
	assert_false(p.values.other);
	assert_int_equal(p.values.times, 3);
	assert_string_equal(p.values.text, "a");
	assert_int_equal(p.values.size, 1536);
	assert_int_equal(p.values.count, 16);
	assert_int_equal(p.values.time, 200000000);
	assert_string_equal(p.values.when, "now");
	assert_int_equal(p.operands, p.argc - 2);
	assert_string_equal(p.argv[p.operands], "b");
	assert_string_equal(p.argv[p.operands + 1], "c");
}

static void test_forms(void **state)
{
	struct parsed p;

	(void)state;
	assert_string_equal(parse(&p, "x -ta")->values.text, "a");
	assert_string_equal(parse(&p, "x -ft -f")->values.text, "-f");
	assert_string_equal(parse(&p, "x --text -f")->values.text, "-f");
	assert_string_equal(parse(&p, "x --text=")->values.text, "");
	assert_string_equal(parse(&p, "x -t a -t b")->values.text, "b");
	assert_string_equal(parse(&p, "x --te a")->values.text, "a");
	assert_string_equal(parse(&p, "x --when a")->values.when, "");
	assert_int_equal(p.operands, p.argc - 1);
	assert_null(parse(&p, "x a")->values.when);
	assert_true(parse(&p, "x a -f")->values.flag);
	assert_int_equal(p.operands, 2);
	assert_false(parse(&p, "x -- -f")->values.flag);
	assert_string_equal(p.argv[p.operands], "-f");
	assert_int_equal(parse(&p, "x")->operands, 1);
	assert_int_equal(parse(&p, "x -")->operands, 1);
	assert_int_equal(parse(&p, "x --ti=1")->rc, 0);
}

static void test_many(void **state)
{
	struct parsed p;
	char line[256];
	int len = snprintf(line, sizeof(line), "x a");

	(void)state;
	assert_int_equal(parse(&p, "x a")->values.texts.count, 0);
	assert_int_equal(parse(&p, "x a --many b c -md --many=e")->values.texts.count, 3);
	assert_string_equal(p.values.texts.list[0], "b");
	assert_string_equal(p.values.texts.list[1], "d");
	assert_string_equal(p.values.texts.list[2], "e");
	assert_int_equal(p.operands, p.argc - 2);
	for (size_t i = 0; i < OPTION_TEXTS_MAX; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " -mb");
	assert_int_equal(parse(&p, line)->values.texts.count, OPTION_TEXTS_MAX);
	snprintf(line + len, sizeof(line) - (size_t)len, " -mb");
	assert_int_equal(parse(&p, line)->rc, -EINVAL);
	assert_string_equal(p.err.text, "--many: more than 32 of it");
}

static void test_errors(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "x -q", "no option '-q' (try --help)" },
		{ "x -fq", "no option '-q' (try --help)" },
		{ "x --quux", "no option '--quux' (try --help)" },
		{ "x --quux=1 a", "no option '--quux=1' (try --help)" },
		{ "x -t", "'-t' needs an argument" },
		{ "x --text", "'--text' needs an argument" },
		{ "x --flag=1", "'--flag=1' takes no argument" },
		{ "x --size=x", "--size: 'x' is no size" },
		{ "x --size=-1", "--size: '-1' is no size" },
		{ "x --size=16E", "--size: '16E' is no size" },
		{ "x --size=", "--size: '' is no size" },
		{ "x -n 1K", "--count: '1K' is no number" },
		{ "x -n -1", "--count: '-1' is no number" },
		{ "x -n 18446744073709551616", "--count: '18446744073709551616' is no number" },
		{ "x --time=1d", "--time: '1d' is no time" },
		{ "x --t=1", "'--t=1' may be --text or --time (try --help)" },
		{ "x -f --other --quux --size=1", "no option '--quux' (try --help)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parsed p;

		CHECK(cases[i].line, parse(&p, cases[i].line)->rc == -EINVAL);
		check_bytes(cases[i].line, bytes_of(p.err.text), bytes_of(cases[i].text));
		CHECK(cases[i].line, p.operands == -1);
	}
}

/* Parsing again starts again: no state is left from a call before that failed. */
static void test_again(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, "x -fq a b c")->rc, -EINVAL);
	assert_int_equal(parse(&p, "x a -f")->rc, 0);
	assert_true(p.values.flag);
	assert_int_equal(p.operands, 2);
}

static void test_scan(void **state)
{
	struct parsed p;
	struct option_table table = { first, COUNT(first), &p.values };
	char *before[20];

	(void)state;
	split(&p, "x a --quux -q --size=1 -t b --text c --a-name-as-long-as-few-are=x -f -- -X");
	memcpy(before, p.argv, sizeof(before));
	options_scan(&table, 1, p.argc, p.argv);
	assert_true(p.values.flag);
	assert_string_equal(p.values.text, "c");
	assert_int_equal(p.values.times, 0);
	assert_int_equal(p.values.size, 0);
	assert_memory_equal(before, p.argv, sizeof(before));
}

/* An option whose argument is missing is given all the same. */
static void test_scan_missing_argument(void **state)
{
	static const char *const lines[] = { "x -t", "x -ft", "x --text" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct parsed p;
		const struct option_table table = { first, COUNT(first), &p.values };

		split(&p, lines[i]);
		options_scan(&table, 1, p.argc, p.argv);
		assert_string_equal(p.values.text, "");
	}
}

static void test_help(void **state)
{
	const struct option_table one = { first, COUNT(first), NULL };
	const struct option_table two = { second, COUNT(second), NULL };
	struct out out;

	(void)state;
	out_init_memory(&out);
	options_help(&out, &one);
	check_out("first", &out,
		  "  -f, --flag                a flag\n"
		  "  -X                        more\n"
		  "  -t, --text=TEXT           a text\n"
		  "      --a-name-as-long-as-few-are=SIZE\n"
		  "                            a size\n");
	options_help(&out, &two);
	check_out("second", &out,
		  "      --size=SIZE           a size\n"
		  "  -n, --count=N             a number\n"
		  "      --time=TIME           a time\n"
		  "      --when[=WHEN]         a choice\n"
		  "      --other               another\n"
		  "  -m, --many=TEXT           texts\n");
	out_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_forms),
		cmocka_unit_test(test_many),   cmocka_unit_test(test_errors),
		cmocka_unit_test(test_again),  cmocka_unit_test(test_scan),
		cmocka_unit_test(test_help),   cmocka_unit_test(test_scan_missing_argument),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
