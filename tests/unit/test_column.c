/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/column.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "column/sort.h"
#include "rows.h"
#include "unit.h"

static const struct code_name bits[64] = {
	[0] = { "zero", "the first" },
	[63] = { "last", "the last" },
};

static const struct code_name codes[] = {
	{ "rd", "readable" },
	{ NULL, NULL },
};

static const struct column columns[] = {
	COLUMN(0, "a", VALUE_BYTES, .needs = 1),
	COLUMN(1, "b", VALUE_COUNT, .needs = 2),
	COLUMN(2, "c.x", VALUE_TEXT, .needs = 4),
	COLUMN(3, "c.y", VALUE_WORD, .needs = 2),
	COLUMN(4, "bits", VALUE_BITS, .codes = bits),
	COLUMN(5, "codes", VALUE_MEANINGS, .codes = codes),
};

static const struct column_set set = { columns, COUNT(columns) };

/* What is selected as a list of names, or the message. */
static void check_selection(const char *list, const char *want, unsigned needs)
{
	struct selection selection = { .needs = 4711 };
	struct arena arena;
	struct error err;
	struct out out;
	int rc;

	arena_init(&arena);
	out_init_memory(&out);
	rc = selection_parse(&selection, &set, "a,c.x", list, &arena, &err);
	if (rc) {
		assert_int_equal(rc, -EINVAL);
		assert_int_equal(err.code, EINVAL);
		out_str(&out, err.text);
	}
	for (size_t i = 0; i < selection.count; i++)
		out_printf(&out, "%s%s", i ? "," : "", selection.columns[i]->name);
	CHECK(list ? list : "NULL", selection.needs == (rc ? 4711 : needs));
	check_out(list ? list : "NULL", &out, want);
	out_fini(&out);
	arena_fini(&arena);
}

static void test_selection(void **state)
{
	(void)state;
	check_selection(NULL, "a,c.x", 5);
	check_selection("b", "b", 2);
	check_selection("c.y,b,a", "c.y,b,a", 3);
	check_selection("b,b,b", "b", 2);
	check_selection("+b", "a,b,c.x", 7);
	check_selection("+a", "a,c.x", 5);
	check_selection("-a", "c.x", 4);
	check_selection("-b", "a,c.x", 5);
	check_selection("-a,+b,+a", "b,a,c.x", 7);
	check_selection("+b,c.y", "a,b,c.y,c.x", 7);
	check_selection("-c.x,+b", "a,b", 3);
	check_selection("-c.x,+b,+c.x,+c.y", "a,b,c.y,c.x", 7);
	check_selection("c.x,b", "c.x,b", 6);
	check_selection("all", "a,b,c.x,c.y,bits,codes", 7);
	check_selection("b,all", "b,a,c.x,c.y,bits,codes", 7);
	check_selection("+all", "a,b,c.y,bits,codes,c.x", 7);
	check_selection("all,-c.x,-a", "b,c.y,bits,codes", 2);
	check_selection("-all,+b", "b", 2);
	check_selection("b,", "b", 2);
}

static void test_selection_refused(void **state)
{
	(void)state;
	check_selection("", "no column is left to show", 0);
	check_selection("-all", "no column is left to show", 0);
	check_selection("-a,-c.x", "no column is left to show", 0);
	check_selection("A", "no column 'A' (try --columns=help)", 0);
	check_selection("a,x", "no column 'x' (try --columns=help)", 0);
	check_selection("a b", "no column 'a b' (try --columns=help)", 0);
	check_selection(" a", "no column ' a' (try --columns=help)", 0);
	check_selection(",a", "no column '' (try --columns=help)", 0);
	check_selection("a,,b", "no column '' (try --columns=help)", 0);
	check_selection("+", "no column '' (try --columns=help)", 0);
	check_selection("++a", "no column '+a' (try --columns=help)", 0);
	check_selection("c", "no column 'c' (try --columns=help)", 0);
	check_selection("c.", "no column 'c.' (did you mean 'c.x'?)", 0);
}

static void test_find(void **state)
{
	(void)state;
	assert_ptr_equal(column_find(&set, BYTES("c.y")), &columns[3]);
	assert_null(column_find(&set, BYTES("c")));
	assert_null(column_find(&set, BYTES("")));
	assert_null(column_find(&set, BYTES("a\0")));
}

static void test_help(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	columns_help(&out, &set, "a,c.x");
	check_out("help", &out,
		  "Columns (* shown by default):\n"
		  "* a                  bytes    help\n"
		  "  b                  count    help\n"
		  "* c.x                text     help\n"
		  "  c.y                word     help\n"
		  "  bits               flags    help\n"
		  "  codes              words    help\n"
		  "\nbits:\n"
		  "  zero             the first\n"
		  "  last             the last\n"
		  "\ncodes:\n"
		  "  rd               readable\n");
	out_fini(&out);
}

/* Each pair: the first is less. */
static const struct {
	const char *name;
	enum value_type type;
	struct value less, more;
} orders[] = {
	{ "bytes", VALUE_BYTES, { .u = 0 }, { .u = UINT64_MAX } },
	{ "count", VALUE_COUNT, { .u = INT64_MAX }, { .u = INT64_MAX + 1ULL } },
	{ "number", VALUE_NUMBER, { .i = -1 }, { .i = 0 } },
	{ "least", VALUE_NUMBER, { .i = INT64_MIN }, { .i = INT64_MAX } },
	{ "delta", VALUE_DELTA, { .i = -2 }, { .i = -1 } },
	{ "address", VALUE_ADDR, { .u = 0x7fffffffffff }, { .u = 0xffffffffff600000 } },
	{ "device", VALUE_DEV, { .u = 0xffffffff }, { .u = 1ULL << 32 } },
	{ "ratio", VALUE_RATIO, { .d = 0.1 }, { .d = 0.11 } },
	{ "negative ratio", VALUE_RATIO, { .d = -1 }, { .d = 0 } },
	{ "time", VALUE_NS, { .u = 9 }, { .u = 10 } },
	{ "bool", VALUE_BOOL, { .u = 0 }, { .u = 1 } },
	{ "bits", VALUE_BITS, { .u = 1 }, { .u = 1ULL << 63 } },
	{ "word", VALUE_WORD, { .word = "elf" }, { .word = "file" } },
	{ "shorter word", VALUE_WORD, { .word = "" }, { .word = "a" } },
	{ "text", VALUE_TEXT, { .text = BYTES_INIT("a") }, { .text = BYTES_INIT("b") } },
	{ "shorter", VALUE_TEXT, { .text = BYTES_INIT("a") }, { .text = BYTES_INIT("a\0") } },
	{ "no text", VALUE_TEXT, { .text = { NULL, 0 } }, { .text = BYTES_INIT("\0") } },
	{ "high bytes", VALUE_TEXT, { .text = BYTES_INIT("\x7f") }, { .text = BYTES_INIT("\x80") } },
	{ "codes", VALUE_CODES, { .text = BYTES_INIT("rd") }, { .text = BYTES_INIT("rd wr") } },
	{ "absent", VALUE_BYTES, { .u = UINT64_MAX }, { .reason = "denied" } },
	{ "none", VALUE_TEXT, { .text = BYTES_INIT("zzz") }, { .reason = "" } },
};

static void test_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++) {
		const struct value *less = &orders[i].less, *more = &orders[i].more;

		CHECK(orders[i].name, value_compare(orders[i].type, less, more) == -1);
		CHECK(orders[i].name, value_compare(orders[i].type, more, less) == 1);
		CHECK(orders[i].name, value_compare(orders[i].type, less, less) == 0);
		CHECK(orders[i].name, value_compare(orders[i].type, more, more) == 0);
	}
}

/* A number that is none is no number, but an order there is. */
static void test_compare_not_a_number(void **state)
{
	struct value nan = { .d = __builtin_nan("") }, one = { .d = 1 }, two = { .d = 2 };

	(void)state;
	assert_int_equal(value_compare(VALUE_RATIO, &one, &nan), -1);
	assert_int_equal(value_compare(VALUE_RATIO, &nan, &two), 1);
	assert_int_equal(value_compare(VALUE_RATIO, &nan, &nan), 0);
}

static void check_order(bool descending, const char *want)
{
	struct sort_item items[] = {
		{ U(5), 0 }, { NONE, 1 }, { U(1), 2 }, { ABSENT("denied"), 3 },
		{ U(5), 4 }, { U(9), 5 }, { U(1), 6 }, { ABSENT("gone"), 7 },
		{ U(5), 8 },
	};
	struct sort sort = { &columns[0], descending };
	struct out out;

	out_init_memory(&out);
	sort_items(&sort, items, COUNT(items));
	for (size_t i = 0; i < COUNT(items); i++)
		out_u64(&out, items[i].index);
	check_out(want, &out, want);
	out_fini(&out);
}

/* Equal ones keep their order, absent ones are last: both ways. */
static void test_sort(void **state)
{
	(void)state;
	check_order(false, "260485137");
	check_order(true, "504826137");
}

static void test_sort_many(void **state)
{
	enum { MANY = 100000 };
	struct sort_item *items = mem_alloc(MANY * sizeof(*items));
	struct sort sort = { &columns[0], true };

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		items[i] = (struct sort_item){ U(i * 2654435761u % 1000), i };
	sort_items(&sort, items, MANY);
	for (size_t i = 1; i < MANY; i++) {
		assert_true(items[i - 1].key.u >= items[i].key.u);
		assert_true(items[i - 1].key.u > items[i].key.u ||
			    items[i - 1].index < items[i].index);
		assert_int_equal(items[i].key.u, items[i].index * 2654435761u % 1000);
	}
	/* without a column they stay as they are */
	sort.column = NULL;
	items[0].key.u = 0;
	sort_items(&sort, items, MANY);
	assert_int_equal(items[0].key.u, 0);
	sort_items(&sort, items, 0);
	free(items);
}

static void test_sort_parse(void **state)
{
	static const struct {
		const char *text;
		int column;
		bool descending;
	} cases[] = {
		{ "a", 0, false },    { "+a", 0, false },   { "-a", 0, true },
		{ "-c.y", 3, true },  { "", -1, false },    { "-", -1, false },
		{ "--a", -1, false }, { "-+a", -1, false }, { "a,b", -1, false },
		{ "x", -1, false },   { "a ", -1, false },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sort sort = { &columns[5], true };
		bool good = cases[i].column >= 0;

		CHECK(cases[i].text,
		      sort_parse(&sort, &set, cases[i].text, &err) == (good ? 0 : -EINVAL));
		CHECK(cases[i].text, sort.column == &columns[good ? cases[i].column : 5]);
		CHECK(cases[i].text, sort.descending == (!good || cases[i].descending));
		CHECK(cases[i].text, good || strstr(err.text, "--sort: no column '"));
	}
	assert_int_equal(sort_parse(&(struct sort){ &columns[0], true }, &set, NULL, &err), 0);
}

static void test_types(void **state)
{
	(void)state;
	assert_string_equal(value_type_name(VALUE_BYTES), "bytes");
	assert_string_equal(value_type_name(VALUE_ADDR), "address");
	assert_true(value_type_is_number(VALUE_RATIO));
	assert_false(value_type_is_number(VALUE_TEXT));
	for (unsigned type = 0; type <= VALUE_ARGS; type++)
		assert_non_null(value_type_name((enum value_type)type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selection),  cmocka_unit_test(test_selection_refused),
		cmocka_unit_test(test_find),	   cmocka_unit_test(test_help),
		cmocka_unit_test(test_compare),	   cmocka_unit_test(test_compare_not_a_number),
		cmocka_unit_test(test_sort),	   cmocka_unit_test(test_sort_many),
		cmocka_unit_test(test_sort_parse), cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
