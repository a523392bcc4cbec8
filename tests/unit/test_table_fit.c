/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>

#include "shown.h"
#include "unit.h"

static const struct report_options in_bytes = { .format = REPORT_TABLE, .units = UNITS_BYTES };
static const struct report_options in_csv = { .format = REPORT_CSV, .units = UNITS_BYTES };

/* Columns that have no room: those that say nothing go first, then the spare ones; then texts are cut. */
static void test_fit(void **state)
{
	static const struct row rows[] = {
		{ { U(0x1000), U(4096), W("first-word"), U(0), T("name-of-some-long-thing") } },
		{ { U(0x2000), U(123), W("b"), NONE, T("/a") } },
	};
	static const struct {
		size_t width;
		const char *spare;
		bool chosen;
		const char *line; /* the first row */
	} cases[] = {
		{ 200, "", false, "000000001000 4096 first-word . name-of-some-long-thing\n" },
		{ 54, "", false, "000000001000 4096 first-word . name-of-some-long-thing\n" },
		{ 51, "", false, "000000001000 4096 first-word . name-of-s..ong-thing\n" },
		{ 46, "", false, "000000001000 4096 first-word name-of..ng-thing\n" },
		{ 46, "", true, "000000001000 4096 first-word . name-o..g-thing\n" },
		{ 44, "1", false, "000000001000 first-word name-of-s..ong-thing\n" },
		{ 44, "none,1,2", false, "000000001000 first-word name-of-s..ong-thing\n" },
		{ 44, "", false, "000000001000 4096 fir..word name-of..g-thing\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report_options options = { .format = REPORT_TABLE,
						  .noheadings = true,
						  .columns_chosen = cases[i].chosen,
						  .width = cases[i].width };
		static const struct column named[] = {
			COLUMN(0, "0", VALUE_ADDR), COLUMN(1, "1", VALUE_BYTES),
			COLUMN(2, "2", VALUE_WORD), COLUMN(3, "3", VALUE_COUNT),
			COLUMN(4, "4", VALUE_TEXT),
		};
		static const struct column *const five[] = { &named[0], &named[1], &named[2],
							     &named[3], &named[4] };
		struct shown shown;

		shown_init(&shown, &options, five, 5);
		shown.table.spare = cases[i].spare;
		shown_rows(&shown, rows, COUNT(rows));
		shown.out.len = (size_t)((char *)memchr(shown.out.buf, '\n', shown.out.len) + 1 -
					 shown.out.buf);
		check_out("fit", &shown.out, cases[i].line);
		shown_fini(&shown);
	}
}

/* Where there is no terminal, a table for people has 80 columns, one in bytes all. */
static void test_fit_80(void **state)
{
	static const struct row row = { { U(1), U(0), W("x"), U(0),
					  T("123456789 123456789 123456789 123456789 123456789 "
					    "123456789 123456789 123456789 123456789 12345") } };
	static const struct column *const eight[] = { &columns[0], &columns[0], &columns[0],
						      &columns[0], &columns[0], &columns[2],
						      &columns[3], &columns[4] };
	struct report_options options = { .format = REPORT_TABLE, .noheadings = true };
	struct shown shown;

	(void)state;
	options.units = UNITS_BYTES;
	shown_init(&shown, &options, eight, 8);
	shown_rows(&shown, &row, 1);
	assert_non_null(memmem(shown.out.buf, shown.out.len, " x . 1234", 9));
	shown_fini(&shown);
	options.units = UNITS_HUMAN;
	shown_init(&shown, &options, eight, 8);
	shown_rows(&shown, &row, 1);
	assert_non_null(memmem(shown.out.buf, shown.out.len, " x 1234", 7));
	assert_non_null(memmem(shown.out.buf, shown.out.len, " 12345\n", 7));
	shown_fini(&shown);
}

/* Explanations go on below where they began. */
static void test_wrap(void **state)
{
	static const struct row row = { { [3] = U(7), [2] = W("one two three four five-and-six") } };
	static const struct column *const two[] = { &columns[3], &columns[2] };
	struct report_options options = { .format = REPORT_TABLE, .width = 20 };
	struct shown shown;

	(void)state;
	shown_init(&shown, &options, two, 2);
	shown_rows(&shown, &row, 1);
	check_out("wrapped", &shown.out, "N K\n7 one two three four\n  five-and-six\n");
	shown_fini(&shown);
}

/* So do lines of prose; a heading loses its middle. */
static void test_prose(void **state)
{
	struct report_options options = { .format = REPORT_TABLE, .width = 20 };
	struct shown shown;
	struct out text;

	(void)state;
	shown_init(&shown, &options, all, 1);
	out_str(report_prose(shown.report),
		"one two three four five\n  six seven eight nine ten\n");
	check_out("waits", &shown.out, "");
	report_flush(shown.report);
	check_out("prose", &shown.out,
		  "one two three four\n  five\n  six seven eight\n    nine ten\n");
	out_init_memory(&text);
	out_str(&text, "1: /usr/bin/program --with-arguments");
	report_heading(shown.report, &text);
	shown_rows(&shown, NULL, 0);
	check_out("heading", &shown.out, "1: /usr/b..arguments\nADDR\n");
	shown_fini(&shown);
	options.width = 0;
	shown_init(&shown, &options, all, 1);
	out_str(report_prose(shown.report), "one two three four five\n");
	report_flush(shown.report);
	check_out("no terminal", &shown.out, "one two three four five\n");
	shown_fini(&shown);
}

/* Rows that are not shown are added up; what does not apply adds nothing, what is not known hides the sum. */
static void test_rest(void **state)
{
	static const struct row rows[] = {
		{ { U(0x1000), U(4096), W("a"), U(1), T("/a") } },
		{ { U(0x2000), U(2048), W("b"), U(2), T("/b") } },
		{ { U(0x3000), U(1024), W("c"), NONE, T("/c") } },
		{ { U(0x4000), U(10240), W("d"), U(4), T("/d") } },
	};
	struct report_options options = in_bytes;
	struct row hidden[COUNT(rows)];
	struct shown shown;

	(void)state;
	options.noheadings = true;
	memcpy(hidden, rows, sizeof(rows));
	hidden[2].value[1] = ABSENT("denied");
	shown_init(&shown, &options, all, 5);
	shown.table.shown = 4;
	shown_rows(&shown, rows, 4);
	assert_null(memmem(shown.out.buf, shown.out.len, "more", 4));
	shown.out.len = 0;
	shown.table.shown = 1;
	shown_rows(&shown, rows, 4);
	check_out("rest", &shown.out, "000000001000  4096 a 1 /a\n             13312   6 3 more\n");
	shown_rows(&shown, hidden, 4);
	check_out("not known", &shown.out,
		  "000000001000 4096 a 1 /a\n                -   6 3 more\n");
	shown_fini(&shown);
	options = in_csv;
	shown_init(&shown, &options, all, 2);
	shown.table.shown = 1;
	shown_rows(&shown, rows, 2);
	check_out("CSV has all", &shown.out,
		  "ADDR,SIZE\r\n000000001000,4096\r\n000000002000,2048\r\n");
	shown_fini(&shown);
}

/* More rows than are measured before some that are not shown. */
static void test_rest_late(void **state)
{
	static const struct row row = { { U(0x1000), U(1), W("a"), U(2), T("/a") } };
	static const char last[] = "                3   6 3 more\n";
	struct report_options options = in_bytes;

	(void)state;
	for (size_t count = REPORT_MEASURED - 1; count <= REPORT_MEASURED + 1; count++) {
		struct shown shown;

		shown_init(&shown, &options, all, 5);
		shown.table.shown = count;
		report_table(shown.report, &shown.table);
		for (size_t i = 0; i < count + 3; i++)
			report_row(shown.report, &row);
		report_table_end(shown.report);
		assert_true(shown.out.len > sizeof(last));
		check_bytes("last",
			    (struct bytes){ shown.out.buf + shown.out.len - sizeof(last) + 1,
					    sizeof(last) - 1 },
			    bytes_of(last));
		shown_fini(&shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit),	  cmocka_unit_test(test_fit_80),
		cmocka_unit_test(test_wrap),	  cmocka_unit_test(test_rest),
		cmocka_unit_test(test_rest_late), cmocka_unit_test(test_prose),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("table_fit", tests, NULL, NULL);
}
