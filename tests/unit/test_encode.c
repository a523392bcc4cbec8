/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/encode.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"
#include "utf8.h"

struct encode_case {
	const char *name;
	struct bytes from;
	const char *to;
	size_t width;
};

/* One of each class that may not reach a terminal, and of what looks like it but may. */
static const struct encode_case text_cases[] = {
	{ "nothing", BYTES(""), "", 0 },
	{ "plain", BYTES("/usr/lib/a b"), "/usr/lib/a b", 12 },
	{ "blanks", BYTES("  a  "), "  a  ", 5 },
	{ "backslash stays", BYTES("a\\012b\\x1b"), "a\\012b\\x1b", 10 },
	{ "escape", BYTES("\033[2J"), "\\x1b[2J", 7 },
	{ "title", BYTES("\033]0;x\007"), "\\x1b]0;x\\x07", 12 },
	{ "NUL", BYTES("a\0b"), "a\\x00b", 6 },
	{ "newline, tab, CR", BYTES("\n\t\r"), "\\x0a\\x09\\x0d", 12 },
	{ "unit separator, DEL", BYTES("\x1f\x7f"), "\\x1f\\x7f", 8 },
	{ "C1 as UTF-8: CSI",
	  BYTES("\xc2\x9b"
		"2J"),
	  "\\xc2\\x9b2J", 10 },
	{ "C1 first and last", BYTES("\xc2\x80\xc2\x9f"), "\\xc2\\x80\\xc2\\x9f", 16 },
	{ "C1 alone", BYTES("\x9b\x90"), "\\x9b\\x90", 8 },
	{ "no-break space", BYTES("\xc2\xa0"), "\xc2\xa0", 1 },
	{ "soft hyphen", BYTES("\xc2\xad"), "\\xc2\\xad", 8 },
	{ "umlaut", BYTES("\xc3\xa4"), "\xc3\xa4", 1 },
	{ "combining", BYTES("e\xcc\x81"), "e\xcc\x81", 1 },
	{ "grapheme joiner", BYTES("\xcd\x8f"), "\\xcd\\x8f", 8 },
	{ "Arabic letter mark", BYTES("\xd8\x9c"), "\\xd8\\x9c", 8 },
	{ "wide", BYTES("\xe6\xbc\xa2\xe5\xad\x97"), "\xe6\xbc\xa2\xe5\xad\x97", 4 },
	{ "emoji", BYTES("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80", 2 },
	{ "emoji joined", BYTES("\xe2\x80\x8d"), "\\xe2\\x80\\x8d", 12 },
	{ "zero width space", BYTES("\xe2\x80\x8b"), "\\xe2\\x80\\x8b", 12 },
	{ "left-to-right mark", BYTES("\xe2\x80\x8e"), "\\xe2\\x80\\x8e", 12 },
	{ "line separator", BYTES("\xe2\x80\xa8"), "\\xe2\\x80\\xa8", 12 },
	{ "paragraph separator", BYTES("\xe2\x80\xa9"), "\\xe2\\x80\\xa9", 12 },
	{ "override", BYTES("a\xe2\x80\xaexe.txt"), "a\\xe2\\x80\\xaexe.txt", 19 },
	{ "isolate", BYTES("\xe2\x81\xa6\xe2\x81\xa9"), "\\xe2\\x81\\xa6\\xe2\\x81\\xa9", 24 },
	{ "word joiner", BYTES("\xe2\x81\xa0"), "\\xe2\\x81\\xa0", 12 },
	{ "variation selector", BYTES("\xef\xb8\x8f"), "\\xef\\xb8\\x8f", 12 },
	{ "byte order mark", BYTES("\xef\xbb\xbf"), "\\xef\\xbb\\xbf", 12 },
	{ "replacement", BYTES("\xef\xbf\xbd"), "\xef\xbf\xbd", 1 },
	{ "private use", BYTES("\xee\x80\x80"), "\\xee\\x80\\x80", 12 },
	{ "private plane", BYTES("\xf3\xb0\x80\x80"), "\\xf3\\xb0\\x80\\x80", 16 },
	{ "tag", BYTES("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81", 16 },
	{ "no character", BYTES("\xef\xbf\xbf"), "\\xef\\xbf\\xbf", 12 },
	{ "unassigned", BYTES("\xcd\xb8"), "\\xcd\\xb8", 8 },
	{ "surrogate", BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", 12 },
	{ "beyond Unicode", BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", 16 },
	{ "five bytes", BYTES("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80", 20 },
	{ "overlong slash", BYTES("\xc0\xaf"), "\\xc0\\xaf", 8 },
	{ "overlong escape", BYTES("\xe0\x80\x9b"), "\\xe0\\x80\\x9b", 12 },
	{ "overlong in four", BYTES("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf", 16 },
	{ "torn at the end", BYTES("a\xe6\xbc"), "a\\xe6\\xbc", 9 },
	{ "torn in the middle",
	  BYTES("\xe6\xbc"
		"a"),
	  "\\xe6\\xbc"
	  "a",
	  9 },
	{ "torn by an escape", BYTES("\xf0\x9f\x98\033"), "\\xf0\\x9f\\x98\\x1b", 16 },
	{ "0xff", BYTES("\xff\xfe"), "\\xff\\xfe", 8 },
};

static void test_text(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (size_t i = 0; i < COUNT(text_cases); i++) {
		const struct encode_case *c = &text_cases[i];
		size_t width = encode_text(&out, c->from);

		check_out(c->name, &out, c->to);
		CHECK(c->name, width == c->width);
		CHECK(c->name, encode_text_width(c->from) == c->width);
	}
	out_fini(&out);
}

/* What is shown is shown the same when it is encoded again. */
static void test_text_twice(void **state)
{
	struct out once, twice;

	(void)state;
	out_init_memory(&once);
	out_init_memory(&twice);
	for (size_t i = 0; i < COUNT(text_cases); i++) {
		once.len = 0;
		encode_text(&once, text_cases[i].from);
		encode_text(&twice, (struct bytes){ once.buf, once.len });
		check_out(text_cases[i].name, &twice, text_cases[i].to);
	}
	out_fini(&once);
	out_fini(&twice);
}

/* Every code point there is: what is shown is not one of the forbidden; width as announced. */
static void test_text_every_character(void **state)
{
	size_t shown = 0;
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (uint32_t code = 0; code < 0x110000; code++) {
		char bytes[4];
		struct bytes from = { bytes, utf8_put(bytes, code) };
		size_t width = encode_text(&out, from);

		if (out.len == from.len && memcmp(out.buf, bytes, from.len) == 0) {
			assert_false(utf8_is_forbidden(code));
			assert_in_range(width, 0, 2);
			shown++;
		} else {
			assert_int_equal(out.len, 4 * from.len);
			assert_int_equal(width, out.len);
		}
		assert_int_equal(width, encode_text_width(from));
		out.len = 0;
	}
	/* Unicode 14 has 144,000 that can be seen; far fewer means that the locale is wrong */
	assert_in_range(shown, 140000, 400000);
	out_fini(&out);
}

/* In a locale that is not UTF-8, the first character beyond ASCII selects one that is. */
static void test_text_plain_locale(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	setlocale(LC_CTYPE, "C");
	assert_int_equal(encode_text(&out, BYTES("a\xc3\xa4\xe6\xbc\xa2\x9b")), 1 + 1 + 2 + 4);
	assert_string_equal(setlocale(LC_CTYPE, NULL), "C.UTF-8");
	check_out("C locale", &out, "a\xc3\xa4\xe6\xbc\xa2\\x9b");
	out_fini(&out);
}

static void test_cut(void **state)
{
	static const struct {
		const char *name;
		struct bytes from;
		size_t width;
		const char *to;
		size_t used;
	} cases[] = {
		{ "fits", BYTES("abcdef"), 6, "abcdef", 6 },
		{ "one too long", BYTES("abcdef"), 5, "a..ef", 5 },
		{ "even", BYTES("abcdefgh"), 6, "ab..gh", 6 },
		{ "least", BYTES("abcdef"), 3, "..f", 3 },
		{ "four", BYTES("abcdef"), 4, "a..f", 4 },
		{ "path", BYTES("/usr/lib/x86_64-linux-gnu/libc.so.6"), 20, "/usr/lib/..libc.so.6",
		  20 },
		/* the two columns of a wide character are never split: one column stays free */
		{ "wide", BYTES("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"), 7,
		  "\xe6\xbc\xa2..\xe6\xbc\xa2", 6 },
		{ "wide, no room", BYTES("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"), 3, "..", 2 },
		{ "wide, head too small",
		  BYTES("\xe6\xbc\xa2"
			"bcdef"),
		  5, "..def", 5 },
		{ "escape is one", BYTES("ab\033cdefgh"), 9, "ab..defgh", 9 },
		{ "escape at the end", BYTES("abcdefgh\033"), 8, "abc..", 5 },
		{ "combining stays with its letter",
		  BYTES("e\xcc\x81"
			"bcdef"),
		  5, "e\xcc\x81..ef", 5 },
		{ "encoded already", BYTES("ab\\x1bcdefgh"), 9, "ab..defgh", 9 },
		{ "nearly encoded", BYTES("ab\\x1gcdefgh"), 9, "ab\\..efgh", 9 },
		{ "invalid", BYTES("\xff\xff\xff\xff"), 10, "\\xff..\\xff", 10 },
	};
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t used = encode_text_cut(&out, cases[i].from, cases[i].width);

		check_out(cases[i].name, &out, cases[i].to);
		CHECK(cases[i].name, used == cases[i].used);
	}
	out_fini(&out);
}

static void test_cut_name(void **state)
{
	static const struct {
		const char *name;
		struct bytes from;
		size_t width;
		const char *to;
	} cases[] = {
		{ "fits", BYTES("/usr/lib/libc.so.6"), 18, "/usr/lib/libc.so.6" },
		{ "directory", BYTES("/usr/lib/x86_64-linux-gnu/libc.so.6"), 34, "libc.so.6" },
		{ "just its name", BYTES("/usr/lib/libc.so.6"), 9, "libc.so.6" },
		{ "then the middle", BYTES("/usr/lib/libc.so.6"), 8, "lib..o.6" },
		{ "deleted", BYTES("/usr/lib/libc.so.6 (deleted)"), 20, "libc.so.6 (deleted)" },
		{ "no path", BYTES("[anon:/one/name of it]"), 12, "[anon..f it]" },
		{ "ends in a slash", BYTES("/usr/lib/"), 6, "/u..b/" },
		{ "escaped", BYTES("/usr/lib/\033z"), 5, "\\x1bz" },
		{ "nothing", BYTES(""), 3, "" },
	};
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t used = encode_name_cut(&out, cases[i].from, cases[i].width);

		CHECK(cases[i].name, used <= cases[i].width);
		check_out(cases[i].name, &out, cases[i].to);
	}
	out_fini(&out);
}

static void check_cut(const struct encode_case *c, size_t width)
{
	struct out out;
	size_t used;

	out_init_memory(&out);
	used = encode_text_cut(&out, c->from, width);
	CHECK(c->name, used <= width);
	CHECK(c->name, used == encode_text_width((struct bytes){ out.buf, out.len }));
	if (c->width <= width)
		CHECK(c->name, used == c->width);
	out_fini(&out);
}

/* Any name in any width: never more columns than asked for, and nothing lost that fits. */
static void test_cut_every_width(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(text_cases); i++)
		for (size_t width = 3; width < 40; width++)
			check_cut(&text_cases[i], width);
}

static const struct {
	const char *name;
	struct bytes from;
	const char *to;
	bool exact;
} json_cases[] = {
	{ "nothing", BYTES(""), "\"\"", true },
	{ "plain", BYTES("/usr/lib"), "\"/usr/lib\"", true },
	{ "quote and backslash", BYTES("a\"b\\c"), "\"a\\\"b\\\\c\"", true },
	{ "kernel's newline", BYTES("a\\012b"), "\"a\\\\012b\"", true },
	{ "controls", BYTES("\b\f\n\r\t\033"), "\"\\u0008\\u000c\\u000a\\u000d\\u0009\\u001b\"",
	  true },
	{ "NUL", BYTES("a\0b"), "\"a\\u0000b\"", true },
	{ "DEL and C1", BYTES("\x7f\xc2\x80\xc2\x9f"), "\"\\u007f\\u0080\\u009f\"", true },
	{ "separators", BYTES("\xe2\x80\xa8\xe2\x80\xa9"), "\"\\u2028\\u2029\"", true },
	{ "override", BYTES("\xe2\x80\xae"), "\"\\u202e\"", true },
	{ "umlaut", BYTES("\xc3\xa4"), "\"\xc3\xa4\"", true },
	{ "emoji", BYTES("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"", true },
	{ "private plane: a pair", BYTES("\xf3\xb0\x80\x80"), "\"\\udb80\\udc00\"", true },
	{ "last of all: a pair", BYTES("\xf4\x8f\xbf\xbf"), "\"\\udbff\\udfff\"", true },
	{ "replacement", BYTES("\xef\xbf\xbd"), "\"\xef\xbf\xbd\"", true },
	{ "0xff", BYTES("a\xff"), "\"a\xef\xbf\xbd\"", false },
	{ "surrogate", BYTES("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false },
	{ "torn",
	  BYTES("\xe6\xbc"
		"a"),
	  "\"\xef\xbf\xbd\xef\xbf\xbd"
	  "a\"",
	  false },
	{ "C1 alone", BYTES("\x9b"), "\"\xef\xbf\xbd\"", false },
	{ "markup", BYTES("</script>'&"), "\"</script>'&\"", true },
};

static void test_json(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (size_t i = 0; i < COUNT(json_cases); i++) {
		bool exact = encode_json(&out, json_cases[i].from);

		check_out(json_cases[i].name, &out, json_cases[i].to);
		CHECK(json_cases[i].name, exact == json_cases[i].exact);
	}
	out_fini(&out);
}

/* Every code point comes back as itself, from a string without a forbidden character. */
static void test_json_round_trip(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (uint32_t code = 0; code < 0x110000; code++) {
		char bytes[4], back[64];
		struct bytes from = { bytes, utf8_put(bytes, code) }, decoded;

		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		assert_true(encode_json(&out, from));
		assert_true(utf8_is_clean((struct bytes){ out.buf, out.len }));
		decoded = (struct bytes){ back, 0 };
		assert_true(json_string_decode((struct bytes){ out.buf, out.len }, back,
					       sizeof(back), &decoded.len));
		assert_true(bytes_equal(decoded, from));
		out.len = 0;
	}
	out_fini(&out);
}

static void test_hex(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	encode_hex(&out, BYTES(""));
	check_out("nothing", &out, "");
	encode_hex(&out, BYTES("\0\x01/\x7f\x80\xff"));
	check_out("bytes", &out, "00012f7f80ff");
	out_fini(&out);
}

static void test_csv(void **state)
{
	static const struct encode_case cases[] = {
		{ "nothing", BYTES(""), "", 0 },
		{ "plain", BYTES("abc"), "abc", 0 },
		{ "comma", BYTES("a,b"), "\"a,b\"", 0 },
		{ "semicolon", BYTES("a;b"), "\"a;b\"", 0 },
		{ "blank", BYTES("a b"), "\"a b\"", 0 },
		{ "quote", BYTES("a\"b"), "\"a\"\"b\"", 0 },
		{ "quotes only", BYTES("\"\""), "\"\"\"\"\"\"", 0 },
		{ "equals", BYTES("=1+2"), "\"'=1+2\"", 0 },
		{ "command", BYTES("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"", 0 },
		{ "plus", BYTES("+1"), "\"'+1\"", 0 },
		{ "minus", BYTES("-1"), "\"'-1\"", 0 },
		{ "at", BYTES("@SUM(A1)"), "\"'@SUM(A1)\"", 0 },
		{ "tab", BYTES("\t=1"), "\"'\\x09=1\"", 0 },
		{ "CR", BYTES("\r=1"), "\"'\\x0d=1\"", 0 },
		{ "newline", BYTES("\n=1"), "\\x0a=1", 0 },
		{ "equals later", BYTES("a=1"), "a=1", 0 },
		{ "NUL first", BYTES("\0="), "\\x00=", 0 },
		{ "CRLF inside", BYTES("a\r\nb,c"), "\"a\\x0d\\x0ab,c\"", 0 },
		{ "escape", BYTES("\033[2J"), "\\x1b[2J", 0 },
		{ "invalid", BYTES("\xff\"\xff"), "\"\\xff\"\"\\xff\"", 0 },
		{ "umlaut", BYTES("\xc3\xa4"), "\xc3\xa4", 0 },
	};
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (size_t i = 0; i < COUNT(cases); i++) {
		encode_csv(&out, cases[i].from);
		check_out(cases[i].name, &out, cases[i].to);
	}
	out_fini(&out);
}

/* 8 MiB of every byte, through every encoder, at a speed that is no worse than linear. */
static void test_long(void **state)
{
	enum { LONG = 8 << 20 };
	char *data = malloc(LONG);
	struct bytes from = { data, LONG };
	struct out out;

	(void)state;
	assert_non_null(data);
	memset(data, '\033', LONG);
	out_init_memory(&out);
	assert_int_equal(encode_text(&out, from), 4 * LONG);
	assert_int_equal(out.len, 4 * LONG);
	out.len = 0;
	assert_int_equal(encode_text_cut(&out, from, 80), 78);
	assert_int_equal(out.len, 78);
	out.len = 0;
	assert_true(encode_json(&out, from));
	assert_int_equal(out.len, 6 * LONG + 2);
	out.len = 0;
	encode_csv(&out, from);
	assert_int_equal(out.len, 4 * LONG);
	out_fini(&out);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_twice),
		cmocka_unit_test(test_text_every_character),
		cmocka_unit_test(test_text_plain_locale),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_name),
		cmocka_unit_test(test_cut_every_width),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_long),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_error("no locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
