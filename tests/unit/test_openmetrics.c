/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "render/metric_sources.h"
#include "render/metric_sums.h"
#include "render/report.h"
#include "rows.h"
#include "unit.h"

enum { PID, COMM, USER, PSS, SWAP, TWIN, COLUMNS };

static const struct column columns[COLUMNS] = {
	COLUMN(PID, "pid", VALUE_NUMBER),
	COLUMN(COMM, "comm", VALUE_TEXT),
	COLUMN(USER, "user", VALUE_TEXT),
	COLUMN(PSS, "pss", VALUE_BYTES),
	COLUMN(SWAP, "swap", VALUE_BYTES),
	COLUMN(TWIN, "same_memory_as", VALUE_NUMBER, .sparse = true),
};

static const struct row rows[] = {
	{ { I(1), T("a"), T("root"), U(100), U(1), ABSENT("") } },
	{ { I(2), T("a"), T("root"), U(20), ABSENT("denied: needs CAP_SYS_PTRACE"), ABSENT("") } },
	{ { I(3), T("b"), T("root"), U(7), U(2), ABSENT("") } },
	{ { I(4), T("b"), T("root"), U(7), U(2), I(3) } }, /* the memory of 3: counted there */
	{ { I(5), T("\"\\\n\x1b"), T("me"), ABSENT("pace: of over 1G"), ABSENT("not asked for"),
	    ABSENT("") } },
};

static void select_all(struct selection *selection)
{
	static const struct column *all[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++)
		all[i] = &columns[i];
	*selection = (struct selection){ all, COLUMNS, 0 };
}

/* A document of ps with rows, as metrics; those of the document itself are left out of out. */
static void write(struct out *out, const struct report_options *options, bool cut)
{
	struct report *report = report_new(out, options);
	const struct report_host host = { .page_size = 4096 };
	struct selection selection;
	struct table table = { "processes", &selection, .cut = cut };
	char *end;

	select_all(&selection);
	report_begin(report, "ps", &host);
	report_table(report, &table);
	for (size_t i = 0; i < COUNT(rows); i++)
		report_row(report, &rows[i]);
	report_table_end(report);
	report_object(report, "not_in_the_list");
	report_fact(report, "pss", VALUE_BYTES, value_u(1));
	report_object_end(report);
	report_end(report, true, NULL);
	report_free(report);
	out_char(out, '\0');
	end = strstr(out->buf, "# TYPE vmview_complete");
	assert_non_null(end);
	assert_non_null(strstr(end, "vmview_complete{command=\"ps\"} 1\n"));
	assert_non_null(strstr(end, "\n# EOF\n"));
	out->len = (size_t)(end - out->buf);
}

static void test_sums(void **state)
{
	const struct report_options options = { .format = REPORT_OPENMETRICS };
	struct out out;

	(void)state;
	out_init_memory(&out);
	write(&out, &options, false);
	check_out("sums", &out,
		  "# TYPE vmview_process_pss_bytes gauge\n"
		  "# UNIT vmview_process_pss_bytes bytes\n"
		  "# HELP vmview_process_pss_bytes help\n"
		  "vmview_process_pss_bytes{program=\"a\",user=\"root\"} 120\n"
		  "vmview_process_pss_bytes{program=\"b\",user=\"root\"} 7\n"
		  "# TYPE vmview_process_swap_bytes gauge\n"
		  "# UNIT vmview_process_swap_bytes bytes\n"
		  "# HELP vmview_process_swap_bytes help\n"
		  "vmview_process_swap_bytes{program=\"b\",user=\"root\"} 2\n"
		  "# TYPE vmview_processes gauge\n"
		  "# HELP vmview_processes processes, without kernel threads\n"
		  "vmview_processes{program=\"a\",user=\"root\"} 2\n"
		  "vmview_processes{program=\"b\",user=\"root\"} 2\n"
		  "vmview_processes{program=\"\\\"\\\\\\\\x0a\\\\x1b\",user=\"me\"} 1\n"
		  "# TYPE vmview_absent gauge\n"
		  "# HELP vmview_absent values that are absent, by reason\n"
		  "vmview_absent{command=\"ps\",metric=\"vmview_process_swap_bytes\","
		  "reason=\"denied\"} 1\n"
		  "vmview_absent{command=\"ps\",metric=\"vmview_process_pss_bytes\","
		  "reason=\"pace\"} 1\n");
	out_fini(&out);
}

static void test_each_row(void **state)
{
	static const struct report_options ways[] = {
		{ .format = REPORT_OPENMETRICS },
		{ .format = REPORT_OPENMETRICS, .each_row = true },
	};
	struct out out;

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		out_init_memory(&out);
		write(&out, &ways[i], !ways[i].each_row);
		out_char(&out, '\0');
		assert_non_null(strstr(out.buf,
				       "vmview_process_pss_bytes{program=\"a\",user=\"root\","
				       "pid=\"2\"} 20\n"));
		out_fini(&out);
	}
}

static const struct adding {
	const char *name;
	enum value_type type;
	bool largest;
	struct value a, b;
	const char *sample; /* NULL: none */
} addings[] = {
	{ "bytes", VALUE_BYTES, false, U(1), U(2), "vmview_x_y_bytes 3" },
	{ "none", VALUE_BYTES, false, ABSENT(""), ABSENT(""), NULL },
	{ "does not apply", VALUE_BYTES, false, ABSENT(""), U(2), "vmview_x_y_bytes 2" },
	{ "absent first", VALUE_BYTES, false, ABSENT("gone"), U(2), NULL },
	{ "absent last", VALUE_BYTES, false, U(2), ABSENT("gone"), NULL },
	{ "zero is a value", VALUE_BYTES, false, U(0), ABSENT(""), "vmview_x_y_bytes 0" },
	{ "as much as fits", VALUE_BYTES, false, U(UINT64_MAX - 1), U(1),
	  "vmview_x_y_bytes 18446744073709551615" },
	{ "too much", VALUE_BYTES, false, U(UINT64_MAX), U(1), NULL },
	{ "count", VALUE_COUNT, false, U(1), U(2), "vmview_x_y 3" },
	{ "signed", VALUE_DELTA, false, I(-5), I(2), "vmview_x_y_bytes -3" },
	{ "signed too much", VALUE_DELTA, false, I(INT64_MIN), I(-1), NULL },
	{ "signed, the largest", VALUE_DELTA, true, I(-5), I(-2), "vmview_x_y_bytes -2" },
	{ "the largest", VALUE_COUNT, true, U(9), U(2), "vmview_x_y 9" },
	{ "shares are not added", VALUE_RATIO, false, D(0.25), D(0.5), "vmview_x_y_ratio 0.5" },
	{ "the larger share first", VALUE_RATIO, false, D(0.5), D(0.25), "vmview_x_y_ratio 0.5" },
	{ "no share", VALUE_RATIO, false, D(__builtin_nan("")), D(0.25), "vmview_x_y_ratio 0.25" },
	{ "time", VALUE_NS, false, U(1), U(2500000000), "vmview_x_y_seconds 2.500000001" },
};

static void test_adding(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addings); i++) {
		const struct adding *it = &addings[i];
		const struct column column = { .name = "y", .help = "help", .type = it->type };
		const struct metric_name name = { .name = BYTES("y") };
		struct metric_sums *sums = metric_sums_new("x", "", it->largest);
		struct metric_series *series = metric_sums_series(sums, BYTES(""));
		size_t metric = metric_sums_metric(sums, &column, &name);
		char line[128];
		struct out out;

		metric_add(sums, series, metric, &it->a);
		metric_add(sums, series, metric, &it->b);
		out_init_memory(&out);
		metric_sums_write(sums, &out);
		out_char(&out, '\0');
		if (it->sample)
			snprintf(line, sizeof(line), "\n%s\n", it->sample);
		CHECK(it->name, it->sample ? strstr(out.buf, line) != NULL : out.len == 1);
		out_fini(&out);
		metric_sums_free(sums);
	}
}

/* However many names there are: what is too much is one series. */
static void test_bound(void **state)
{
	enum { MORE = 3 };
	const struct column column = { .name = "y", .help = "help", .type = VALUE_COUNT };
	const struct metric_name name = { .name = BYTES("y"), .counter = true };
	struct metric_sums *sums = metric_sums_new("x", "program=comm user", false);
	size_t metric = metric_sums_metric(sums, &column, &name), lines = 0;
	const struct value one = value_u(1);
	struct out out;

	(void)state;
	for (size_t i = 0; i < METRIC_SERIES_MAX + MORE; i++) {
		char text[32];
		int len = snprintf(text, sizeof(text), "program=\"%zu\"", i);

		metric_add(sums, metric_sums_series(sums, (struct bytes){ text, (size_t)len }),
			   metric, &one);
	}
	out_init_memory(&out);
	metric_sums_write(sums, &out);
	for (size_t i = 0; i < out.len; i++)
		lines += out.buf[i] == '\n';
	out_char(&out, '\0');
	assert_int_equal(lines, 2 + METRIC_SERIES_MAX + 1);
	assert_non_null(
		strstr(out.buf, "vmview_x_y_total{program=\"(other)\",user=\"(other)\"} 3\n"));
	out_fini(&out);
	metric_sums_free(sums);
}

/* Files of several commands lie in one directory: no two sources may make the same metrics. */
/* NOLINTNEXTLINE(readability-function-size): a table */
static void test_sources(void **state)
{
	(void)state;
	for (size_t i = 0; i < metric_sources_count; i++) {
		const struct metric_source *source = &metric_sources[i];
		struct metric_word word;

		CHECK(source->subject, metric_sources_have(source->command));
		for (size_t j = i + 1; j < metric_sources_count; j++)
			CHECK(source->subject,
			      strcmp(source->subject, metric_sources[j].subject) != 0);
		for (const char *list = source->counter ? source->counter : "";
		     metric_word_next(&list, &word);) {
			char key[64];
			struct metric_word found;

			snprintf(key, sizeof(key), "%.*s", (int)word.key.len, word.key.data);
			CHECK(key, metric_list_find(source->columns, key, &found));
		}
		CHECK(source->subject, !source->rows || source->rows_help);
	}
	assert_false(metric_sources_have("map"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),	cmocka_unit_test(test_each_row),
		cmocka_unit_test(test_adding),	cmocka_unit_test(test_bound),
		cmocka_unit_test(test_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
