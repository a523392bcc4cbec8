/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/encode.h"
#include "render/format.h"
#include "render/report.h"
#include "rows.h"
#include "shown.h"
#include "unit.h"

static const struct code_name bits[64] = {
	[0] = { "locked", "x" },
	[63] = { "last", "x" },
};

static const struct code_name words[] = {
	{ "rd", "readable" },
	{ "wr", "writable" },
	{ NULL, NULL },
};

enum { BYTES_UNIT, HUMAN, PAGES, CSV, WAYS };

static const struct report_options ways[WAYS] = {
	[BYTES_UNIT] = { .format = REPORT_TABLE, .units = UNITS_BYTES, .page_size = 4096 },
	[HUMAN] = { .format = REPORT_TABLE, .units = UNITS_HUMAN, .page_size = 4096 },
	[PAGES] = { .format = REPORT_TABLE, .units = UNITS_PAGES, .page_size = 4096 },
	[CSV] = { .format = REPORT_CSV, .units = UNITS_BYTES, .page_size = 4096 },
};

static const struct {
	const char *name;
	enum value_type type;
	struct value value;
	const struct code_name *codes;
	const char *text[WAYS]; /* NULL: as the one before */
} cells[] = {
	{ "bytes",
	  VALUE_BYTES,
	  U(1288490188),
	  NULL,
	  { "1288490188", "1.2G", "314572.80", "1288490188" } },
	{ "no bytes", VALUE_BYTES, U(0), NULL, { ".", NULL, NULL, "0" } },
	{ "few bytes", VALUE_BYTES, U(4095), NULL, { "4095", "4.0K", "1.00", "4095" } },
	{ "most bytes",
	  VALUE_BYTES,
	  U(UINT64_MAX),
	  NULL,
	  { "18446744073709551615", "16E", "4503599627370496.00", "18446744073709551615" } },
	{ "count", VALUE_COUNT, U(1048576), NULL, { "1048576" } },
	{ "none", VALUE_COUNT, U(0), NULL, { ".", NULL, NULL, "0" } },
	{ "time", VALUE_NS, U(1500), NULL, { "1500" } },
	{ "number", VALUE_NUMBER, I(-7), NULL, { "-7" } },
	{ "number 0", VALUE_NUMBER, I(0), NULL, { "0" } },
	{ "least number", VALUE_NUMBER, I(INT64_MIN), NULL, { "-9223372036854775808" } },
	{ "more", VALUE_DELTA, I(8192), NULL, { "+8192", "+8.0K", "+2", "8192" } },
	{ "less", VALUE_DELTA, I(-8192), NULL, { "-8192", "-8.0K", "-2", "-8192" } },
	{ "the same", VALUE_DELTA, I(0), NULL, { ".", NULL, NULL, "0" } },
	{ "least",
	  VALUE_DELTA,
	  I(INT64_MIN),
	  NULL,
	  { "-9223372036854775808", "-8.0E", "-2251799813685248", "-9223372036854775808" } },
	{ "device", VALUE_DEV, U(0xfeULL << 32 | 1), NULL, { "fe:01" } },
	{ "address", VALUE_ADDR, U(0x7f00dead0000), NULL, { "7f00dead0000" } },
	{ "low address", VALUE_ADDR, U(0x1000), NULL, { "000000001000" } },
	{ "high address", VALUE_ADDR, U(0xffffffffff600000), NULL, { "ffffffffff600000" } },
	{ "ratio", VALUE_RATIO, D(0.123456789), NULL, { "12.3%", NULL, NULL, "0.123457" } },
	{ "all", VALUE_RATIO, D(1), NULL, { "100.0%", NULL, NULL, "1" } },
	{ "ratio 0", VALUE_RATIO, D(0), NULL, { "0.0%", NULL, NULL, "0" } },
	{ "no ratio", VALUE_RATIO, D(__builtin_nan("")), NULL, { "-", NULL, NULL, "" } },
	{ "yes", VALUE_BOOL, U(1), NULL, { "yes", NULL, NULL, "true" } },
	{ "no", VALUE_BOOL, U(0), NULL, { "no", NULL, NULL, "false" } },
	{ "word", VALUE_WORD, W("---p"), NULL, { "---p", NULL, NULL, "\"'---p\"" } },
	{ "plain word", VALUE_WORD, W("rw-p"), NULL, { "rw-p" } },
	{ "text",
	  VALUE_TEXT,
	  T("a\033b\"c"),
	  NULL,
	  { "a\\x1bb\"c", NULL, NULL, "\"a\\x1bb\"\"c\"" } },
	{ "formula", VALUE_TEXT, T("=1+1"), NULL, { "=1+1", NULL, NULL, "\"'=1+1\"" } },
	{ "no text", VALUE_TEXT, T(""), NULL, { "" } },
	{ "codes", VALUE_CODES, T("rd wr"), NULL, { "rd wr", NULL, NULL, "\"rd wr\"" } },
	{ "odd codes",
	  VALUE_CODES,
	  T("\033 \xff"),
	  NULL,
	  { "\\x1b \\xff", NULL, NULL, "\"\\x1b \\xff\"" } },
	{ "meanings",
	  VALUE_MEANINGS,
	  T("rd xx wr"),
	  words,
	  { "readable, xx, writable", NULL, NULL, "\"readable, xx, writable\"" } },
	{ "meanings between blanks",
	  VALUE_MEANINGS,
	  T("  rd   wr "),
	  words,
	  { "readable, writable", NULL, NULL, "\"readable, writable\"" } },
	{ "formula for a flag", VALUE_MEANINGS, T("=1"), words, { "=1", NULL, NULL, "\"'=1\"" } },
	{ "bits",
	  VALUE_BITS,
	  U(1ULL << 63 | 8 | 1),
	  bits,
	  { "locked,bit3,last", NULL, NULL, "\"locked,bit3,last\"" } },
	{ "no bits", VALUE_BITS, U(0), bits, { "" } },
	{ "arguments", VALUE_ARGS, T("-c\0a b\0\0"), NULL, { "-c a b", NULL, NULL, "\"'-c a b\"" } },
	{ "absent", VALUE_BYTES, ABSENT("denied"), NULL, { "-", NULL, NULL, "" } },
	{ "no answer", VALUE_TEXT, NONE, NULL, { "-", NULL, NULL, "" } },
};

/* The text of one cell: a table of one row and column without headings. */
static void check_cell(const struct report_options *way, size_t i, const char *want)
{
	struct column column = { .name = "c",
				 .heading = "C",
				 .type = cells[i].type,
				 .get = row_get,
				 .codes = cells[i].codes };
	const struct column *selected[] = { &column };
	struct selection selection = { selected, 1, 0 };
	struct table table = { .key = "t", .selection = &selection, .csv = true };
	struct report_options options = *way;
	struct row row = { { cells[i].value } };
	char line[256];
	struct report *report;
	struct out out;

	options.noheadings = true;
	out_init_memory(&out);
	report = report_new(&out, &options);
	report_table(report, &table);
	report_row(report, &row);
	report_table_end(report);
	report_free(report);
	snprintf(line, sizeof(line), "%s%s", want, way->format == REPORT_CSV ? "\r\n" : "\n");
	check_out(cells[i].name, &out, line);
	out_fini(&out);
}

static void test_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cells); i++) {
		const char *want = "";

		for (size_t way = 0; way < WAYS; way++) {
			if (cells[i].text[way])
				want = cells[i].text[way];
			check_cell(&ways[way], i, want);
		}
	}
}

/* Per cent are written without printf, but as it would. */
static void test_ratios(void **state)
{
	static const struct report_options options = { .format = REPORT_TABLE, .noheadings = true };
	struct column column = { .name = "c", .heading = "C", .type = VALUE_RATIO, .get = row_get };
	const struct column *selected[] = { &column };
	struct selection selection = { selected, 1, 0 };
	struct table table = { .key = "t", .selection = &selection };

	(void)state;
	for (unsigned i = 0; i <= 20000; i++) {
		/* tenths and their halves, which are the hard ones, and numbers of no kind */
		double ratio = i % 3 == 0 ? i / 10000.0 : i % 3 == 1 ? i / 20000.0 : i / 7919.0;
		struct row row = { { value_d(ratio) } };
		struct report *report;
		char line[64];
		struct out out;

		snprintf(line, sizeof(line), "%.1f%%\n", ratio * 100);
		out_init_memory(&out);
		report = report_new(&out, &options);
		report_table(report, &table);
		report_row(report, &row);
		report_table_end(report);
		report_free(report);
		check_out("ratio", &out, line);
		out_fini(&out);
	}
}

static const struct row sample[] = {
	{ { U(0x1000), U(4096), W("heap"), U(7), T("/a") } },
	{ { U(0xffffffffff600000), U(0), W("special"), U(123456), T("[vsyscall]") } },
	{ { U(0x2000), ABSENT("denied"), W("a"), NONE, T("") } },
};

static void test_layout(void **state)
{
	struct report_options options = ways[BYTES_UNIT];
	struct shown shown;

	(void)state;
	shown_init(&shown, &options, all, 5);
	shown_rows(&shown, sample, COUNT(sample));
	check_out("table", &shown.out,
		  "            ADDR SIZE K            N NAME\n"
		  "    000000001000 4096 heap         7 /a\n"
		  "ffffffffff600000    . special 123456 [vsyscall]\n"
		  "    000000002000    - a            -\n");
	/* the next table has widths of its own; one without rows has headings */
	shown_rows(&shown, sample, 1);
	check_out("again", &shown.out,
		  "        ADDR SIZE K    N NAME\n000000001000 4096 heap 7 /a\n");
	shown_rows(&shown, sample, 0);
	check_out("no rows", &shown.out, "ADDR SIZE K N NAME\n");
	shown.table.json_only = true;
	shown_rows(&shown, sample, 1);
	check_out("JSON only", &shown.out, "");
	shown_fini(&shown);
	options.noheadings = true;
	shown_init(&shown, &options, all, 5);
	shown_rows(&shown, sample, 1);
	check_out("no headings", &shown.out, "000000001000 4096 heap 7 /a\n");
	shown_rows(&shown, sample, 0);
	check_out("nothing", &shown.out, "");
	shown_fini(&shown);
}

static enum tone tone_of(const void *row)
{
	return (enum tone)((const struct row *)row)->value[3].u;
}

static void test_color(void **state)
{
	static const struct row rows[] = {
		{ { U(0), U(0), W(""), U(TONE_PLAIN), T("p") } },
		{ { U(0), U(0), W(""), U(TONE_GOOD), T("g") } },
		{ { U(0), U(0), W(""), U(TONE_WARN), T("w") } },
		{ { U(0), U(0), W(""), U(TONE_BAD), T("b") } },
		{ { U(0), U(0), W(""), U(TONE_DIM), T("d") } },
	};
	struct report_options options = ways[BYTES_UNIT];
	struct shown shown;

	(void)state;
	options.color = options.noheadings = true;
	shown_init(&shown, &options, &all[4], 1);
	shown.table.tone = tone_of;
	shown_rows(&shown, rows, COUNT(rows));
	check_out("color", &shown.out,
		  "p\n\033[32mg\033[0m\n\033[33mw\033[0m\n\033[31mb\033[0m\n\033[2md\033[0m\n");
	shown_fini(&shown);
	options.color = false;
	shown_init(&shown, &options, &all[4], 1);
	shown.table.tone = tone_of;
	shown_rows(&shown, rows, COUNT(rows));
	check_out("no color", &shown.out, "p\ng\nw\nb\nd\n");
	shown_fini(&shown);
}

/* The last column is cut in its middle when the terminal is too narrow, others never are. */
static void test_width(void **state)
{
	static const struct {
		size_t width;
		const char *name, *line;
	} cases[] = {
		{ 0, "/usr/lib/x86_64-linux-gnu/libc.so.6",
		  "1 /usr/lib/x86_64-linux-gnu/libc.so.6\n" },
		{ 80, "/usr/lib/x86_64-linux-gnu/libc.so.6",
		  "1 /usr/lib/x86_64-linux-gnu/libc.so.6\n" },
		{ 37, "/usr/lib/x86_64-linux-gnu/libc.so.6",
		  "1 /usr/lib/x86_64-linux-gnu/libc.so.6\n" },
		{ 36, "/usr/lib/x86_64-linux-gnu/libc.so.6", "1 libc.so.6\n" },
		{ 20, "/usr/lib/x86_64-linux-gnu/libc.so.6", "1 libc.so.6\n" },
		/* however little there is, 12 columns are left for it */
		{ 5, "/usr/lib/x86_64-linux-gnu/libc-2.36.so.6", "1 libc-...so.6\n" },
		{ 20,
		  "/\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
		  "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2",
		  "1 \xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2..\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\n" },
		{ 20, "/a\033\033\033\033\033\033b", "1 a\\x1b..\\x1b\\x1bb\n" },
	};
	static const struct column *const two[] = { &columns[3], &columns[4] };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report_options options = { .format = REPORT_TABLE,
						  .noheadings = true,
						  .width = cases[i].width };
		struct row row = { { [3] = U(1), [4] = { .text = bytes_of(cases[i].name) } } };
		struct shown shown;

		shown_init(&shown, &options, two, 2);
		shown_rows(&shown, &row, 1);
		check_out(cases[i].name, &shown.out, cases[i].line);
		shown_fini(&shown);
	}
}

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static void random_rows(struct row *rows, size_t count, uint64_t random)
{
	static const char *const kinds[] = { "", "a", "elf", "thread-stack" };
	static const struct value texts[] = { T(""),
					      T("/usr/lib"),
					      T("\xe6\xbc\xa2"),
					      T("\033"),
					      T("/usr"),
					      T("/usr/lib/a long name"),
					      T("/usr/lib/a lone name"),
					      NONE };

	for (size_t i = 0; i < count; i++) {
		uint64_t r = next_random(&random);
		struct value numbers[] = { U(0), U(next_random(&random) >> (r >> 40) % 64),
					   ABSENT("gone"), U(r & 0xffff) };

		rows[i] = (struct row){ {
			U(next_random(&random) >> (r >> 50) % 64),
			numbers[r & 3],
			W(kinds[r >> 2 & 3]),
			numbers[r >> 4 & 3],
			texts[(r >> 6) % COUNT(texts)],
		} };
	}
}

/* Rows that come when the widths are known look like those that were measured. */
static void check_streamed(size_t way, size_t width, const size_t *order, uint64_t seed)
{
	struct report_options options = ways[way];
	static struct row rows[2 * REPORT_MEASURED];
	const struct column *selected[5];
	const char *first, *second;
	struct shown shown;

	random_rows(rows, REPORT_MEASURED, seed);
	memcpy(rows + REPORT_MEASURED, rows, sizeof(rows) / 2);
	for (size_t i = 0; i < 5; i++)
		selected[i] = all[order[i]];
	options.width = width;
	shown_init(&shown, &options, selected, 5);
	shown_rows(&shown, rows, COUNT(rows));
	out_char(&shown.out, '\0');
	first = strchr(shown.out.buf, '\n') + 1;
	second = first;
	for (size_t i = 0; i < REPORT_MEASURED; i++)
		second = strchr(second, '\n') + 1;
	assert_int_equal(strlen(first), 2 * strlen(second));
	check_bytes("streamed", bytes_of(second), (struct bytes){ first, strlen(second) });
	shown_fini(&shown);
}

static void test_streamed(void **state)
{
	static const size_t orders[][5] = { { 0, 1, 2, 3, 4 },
					    { 4, 3, 2, 1, 0 },
					    { 2, 4, 0, 2, 1 },
					    { 1, 0, 3, 4, 2 },
					    { 3, 2, 1, 2, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++)
		for (size_t way = 0; way < CSV; way++)
			for (uint64_t seed = 1; seed < 5; seed++)
				check_streamed(way, 0, orders[i], seed * 4711);
	/* names and words that are cut, or not, and numbers, which never are */
	for (size_t i = 0; i < COUNT(orders); i++)
		for (size_t way = 0; way < CSV; way++)
			for (size_t width = 20; width < 90; width += 7)
				check_streamed(way, width, orders[i], width);
}

/* In the last column of a narrow terminal, measured or not: names and words are cut, numbers never. */
static void test_narrow(void **state)
{
	static const struct {
		size_t column;
		struct value value;
		const char *line;
	} cases[] = {
		{ 0, U(0xffffffffff600000), "1 ffffffffff600000\n" },
		{ 1, U(1234567890123456), "1 1234567890123456\n" },
		{ 3, U(UINT64_MAX), "1 18446744073709551615\n" },
		{ 2, W("a-very-long-word"), "1 a-ver..-word\n" },
		{ 4, T("/a/very/long/name"), "1 name\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report_options options = {
			.format = REPORT_TABLE, .units = UNITS_BYTES, .noheadings = true, .width = 5
		};
		const struct column *selected[] = { all[3], all[cases[i].column] };
		struct column first = columns[3];
		struct row row = { { [5] = U(1) } };
		struct shown shown;
		size_t len = strlen(cases[i].line);

		first.arg = 5;
		selected[0] = &first;
		row.value[cases[i].column] = cases[i].value;
		shown_init(&shown, &options, selected, 2);
		report_table(shown.report, &shown.table);
		for (size_t k = 0; k < REPORT_MEASURED + 2; k++)
			report_row(shown.report, &row);
		report_table_end(shown.report);
		for (size_t k = 0; k < REPORT_MEASURED + 2; k++)
			check_bytes("narrow", (struct bytes){ shown.out.buf + k * len, len },
				    bytes_of(cases[i].line));
		assert_int_equal(shown.out.len, (REPORT_MEASURED + 2) * len);
		shown_fini(&shown);
	}
}

/* A number that is longer than any before it moves its row, but touches nothing. */
static void test_streamed_overflow(void **state)
{
	static const struct {
		size_t column;
		uint64_t before, after;
		const char *line;
	} cases[] = {
		{ 3, 999999, 1000000, "x 1000000 x\n" },
		{ 3, 999999999999999999, 9999999999999999999ULL, "x 9999999999999999999 x\n" },
		{ 3, 9999999999999999999ULL, UINT64_MAX, "x 18446744073709551615 x\n" },
		{ 3, 10, UINT64_MAX, "x 18446744073709551615 x\n" },
		{ 0, 0x7f0000000000, 0xffffffffff600000, "x ffffffffff600000 x\n" },
		{ 0, 0xfffffffffffffff, 0xffffffffff600000, "x ffffffffff600000 x\n" },
		{ 0, 0xffffffffffffff, 0xfffffffffffffff, "x fffffffffffffff x\n" },
		{ 1, 99, 100, "x  100 x\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct row rows[REPORT_MEASURED + 1];
		const struct column *selected[] = { all[2], all[cases[i].column], all[4] };
		struct shown shown;
		const char *last;

		for (size_t k = 0; k < COUNT(rows); k++) {
			rows[k] = (struct row){ { [2] = W("x"), [4] = T("x") } };
			rows[k].value[cases[i].column] =
				U(k < REPORT_MEASURED ? cases[i].before : cases[i].after);
		}
		shown_init(&shown, &ways[BYTES_UNIT], selected, 3);
		shown_rows(&shown, rows, COUNT(rows));
		last = memrchr(shown.out.buf, '\n', shown.out.len - 1);
		last++;
		check_bytes(cases[i].line,
			    (struct bytes){ last, (size_t)(shown.out.buf + shown.out.len - last) },
			    bytes_of(cases[i].line));
		shown_fini(&shown);
	}
}

/*
 * A text of 200 KiB in a column that is not the last is written whole, but not every other row is
 * padded to it: 512 columns are enough.
 */
static void test_streamed_wide(void **state)
{
	enum { WIDE = 200 << 10, PAD = 512, ROWS = REPORT_MEASURED + 20 };
	const struct column *selected[] = { all[4], all[2], all[3] };
	char file[] = "/tmp/vmview-unit.XXXXXX", *wide = malloc(WIDE), *line = malloc(WIDE + 64);
	struct row row = { { [2] = W("elf"), [3] = U(5), [4] = T("/a") } }, first = row;
	struct shown shown;
	off_t at;

	(void)state;
	memset(wide, 'w', WIDE);
	first.value[4].text = (struct bytes){ wide, WIDE };
	shown_init(&shown, &ways[BYTES_UNIT], selected, 3);
	out_fini(&shown.out);
	out_init(&shown.out, mkstemp(file));
	report_table(shown.report, &shown.table);
	report_row(shown.report, &first);
	for (unsigned i = 1; i < ROWS; i++)
		report_row(shown.report, &row);
	report_table_end(shown.report);
	assert_int_equal(out_flush(&shown.out), 0);
	memset(wide, ' ', WIDE);
	wide[0] = '/';
	wide[1] = 'a';
	at = lseek(shown.out.fd, 0, SEEK_END);
	assert_int_equal(at, WIDE + 7 + ROWS * (off_t)(PAD + 7));
	assert_int_equal(pread(shown.out.fd, line, PAD + 7, at - (PAD + 7)), PAD + 7);
	assert_memory_equal(line, wide, PAD);
	assert_memory_equal(line + PAD, " elf 5\n", 7);
	close(shown.out.fd);
	unlink(file);
	shown_fini(&shown);
	free(wide);
	free(line);
}

/* Texts without end: the rows that wait for their widths take bounded memory. */
static void test_measured_text(void **state)
{
	enum { LONG = 1 << 20 };
	static const struct column *const one[] = { &columns[4] };
	char *text = malloc(LONG);
	struct report_options options = ways[BYTES_UNIT];
	struct row row = { { [4] = { .text = { text, LONG } } } };
	struct rusage before, after;
	struct shown shown;

	(void)state;
	getrusage(RUSAGE_SELF, &before);
	memset(text, 't', LONG);
	options.noheadings = true;
	shown_init(&shown, &options, one, 1);
	out_fini(&shown.out);
	out_init(&shown.out, open("/dev/null", O_WRONLY | O_CLOEXEC));
	report_table(shown.report, &shown.table);
	for (unsigned i = 0; i < REPORT_MEASURED; i++)
		report_row(shown.report, &row);
	report_table_end(shown.report);
	close(shown.out.fd);
	shown_fini(&shown);
	free(text);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 100 << 10);
}

static void test_csv(void **state)
{
	struct report_options options = ways[CSV];
	struct shown shown;

	(void)state;
	shown_init(&shown, &options, all, 5);
	shown_rows(&shown, sample, COUNT(sample));
	check_out("CSV", &shown.out,
		  "ADDR,SIZE,K,N,NAME\r\n"
		  "000000001000,4096,heap,7,/a\r\n"
		  "ffffffffff600000,0,special,123456,[vsyscall]\r\n"
		  "000000002000,,a,,\r\n");
	/* one line of headings, however many tables */
	shown_rows(&shown, sample, 1);
	check_out("again", &shown.out, "000000001000,4096,heap,7,/a\r\n");
	shown.table.csv = false;
	shown_rows(&shown, sample, 1);
	check_out("not for CSV", &shown.out, "");
	assert_null(report_prose(shown.report));
	shown_fini(&shown);
	options.noheadings = true;
	shown_init(&shown, &options, all, 2);
	shown_rows(&shown, sample, 1);
	check_out("no headings", &shown.out, "000000001000,4096\r\n");
	shown_fini(&shown);
}

/* What else a report may be told leaves no trace in tables and CSV. */
static void test_other_calls(void **state)
{
	static const struct report_host host = { "k", "t", 4096, false };
	struct missing missing = { .count = 1, .items = { { "a", "b" } } };

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		struct shown shown;

		shown_init(&shown, &ways[way], all, 5);
		report_begin(shown.report, "map", &host);
		report_list(shown.report, "processes");
		report_object(shown.report, NULL);
		report_fact(shown.report, "pid", VALUE_NUMBER, value_i(1));
		report_facts(shown.report, &shown.selection, &sample[0]);
		report_missing(shown.report, &missing);
		report_object_end(shown.report);
		report_list_end(shown.report);
		report_end(shown.report, false, &missing);
		check_out("nothing", &shown.out, "");
		assert_int_equal(!report_prose(shown.report), way == CSV);
		shown_fini(&shown);
	}
}

static void test_size(void **state)
{
	static const char *const texts[] = { "1288490188", "1.2G", "314572.80", "1288490188" };

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		struct shown shown;

		shown_init(&shown, &ways[way], all, 1);
		report_size(shown.report, &shown.out, 1288490188);
		check_out("size", &shown.out, texts[way]);
		assert_int_equal(report_options(shown.report)->page_size, 4096);
		shown_fini(&shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),	      cmocka_unit_test(test_ratios),
		cmocka_unit_test(test_layout),	      cmocka_unit_test(test_color),
		cmocka_unit_test(test_width),	      cmocka_unit_test(test_streamed),
		cmocka_unit_test(test_narrow),	      cmocka_unit_test(test_streamed_overflow),
		cmocka_unit_test(test_streamed_wide), cmocka_unit_test(test_measured_text),
		cmocka_unit_test(test_csv),	      cmocka_unit_test(test_other_calls),
		cmocka_unit_test(test_size),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
