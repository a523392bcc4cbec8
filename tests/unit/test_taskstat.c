/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/taskstat.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "model/process.h"
#include "unit.h"

/* Fields 4 to 52 of a process that may be looked at, and of one that may not. */
#define FIELDS_4_TO_24 "17 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1000000 4711"
#define FIELDS_25_ON                                                                      \
	" 18446744073709551615 4096 8192 140737488347136 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 " \
	"12288 16384 20480 140737488348160 140737488348161 140737488348162 140737488348163 0\n"
#define HIDDEN_25_ON \
	" 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

static void check_ordinary(const struct process *process)
{
	assert_int_equal(process->state, 'S');
	assert_int_equal(process->ppid, 17);
	assert_int_equal(process->threads, 3);
	assert_int_equal(process->start_time, 987654);
	assert_int_equal(process->rss_pages, 4711);
}

static void test_ordinary(void **state)
{
	struct process process = { 0 };

	(void)state;
	assert_int_equal(
		stat_parse(BYTES("42 (bash) S " FIELDS_4_TO_24 FIELDS_25_ON), &process, NULL), 0);
	assert_int_equal(process.pid, 42);
	check_bytes("comm", process.comm, BYTES("bash"));
	check_ordinary(&process);
	assert_true(process.layout.known);
	assert_int_equal(process.layout.code_start, 4096);
	assert_int_equal(process.layout.code_end, 8192);
	assert_int_equal(process.layout.stack_start, 140737488347136);
	assert_int_equal(process.layout.data_start, 12288);
	assert_int_equal(process.layout.data_end, 16384);
	assert_int_equal(process.layout.brk_start, 20480);
	assert_int_equal(process.layout.args_start, 140737488348160);
	assert_int_equal(process.layout.args_end, 140737488348161);
	assert_int_equal(process.layout.env_start, 140737488348162);
	assert_int_equal(process.layout.env_end, 140737488348163);
}

static void test_hidden(void **state)
{
	struct process process = { 0 };

	(void)state;
	assert_int_equal(stat_parse(BYTES("42 (x) S " FIELDS_4_TO_24 HIDDEN_25_ON), &process, NULL),
			 0);
	check_ordinary(&process);
	assert_false(process.layout.known);
	assert_int_equal(process.layout.code_start, 0);
}

/* A kernel without the fields of the layout, and a text that ends within them. */
static void test_short(void **state)
{
	struct process process = { 0 };

	(void)state;
	assert_int_equal(stat_parse(BYTES("42 (x) S " FIELDS_4_TO_24 "\n"), &process, NULL), 0);
	check_ordinary(&process);
	assert_false(process.layout.known);
	assert_int_equal(
		stat_parse(BYTES("42 (x) S " FIELDS_4_TO_24 " 1 4096 8192"), &process, NULL), 0);
	assert_false(process.layout.known);
}

static void test_names(void **state)
{
	static const struct bytes names[] = {
		BYTES_INIT(""),
		BYTES_INIT(")"),
		BYTES_INIT("("),
		BYTES_INIT(") S 1 (x"),
		BYTES_INIT("a b"),
		BYTES_INIT("(sd-pam)"),
		BYTES_INIT("\n"),
		BYTES_INIT("\033[2J"),
		BYTES_INIT("\xff\xfe"),
		BYTES_INIT("a\0b"),
		BYTES_INIT("1 (x) R 0 0 0 0 0 0 0 0"),
		BYTES_INIT("kworker/u16:3-events_unbound_very_long"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct process process = { 0 };
		struct out out;

		out_init_memory(&out);
		out_str(&out, "42 (");
		out_mem(&out, names[i].data, names[i].len);
		out_str(&out, ") S " FIELDS_4_TO_24 FIELDS_25_ON);
		assert_int_equal(stat_parse((struct bytes){ out.buf, out.len }, &process, NULL), 0);
		check_bytes(names[i].data, process.comm, names[i]);
		check_ordinary(&process);
		out_fini(&out);
	}
}

/* Numbers that no process has: not another number, but no status at all. */
static void test_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"42",
		"42 ",
		"42 (x",
		"42 (x)",
		"42 (x) ",
		"42 (x) S",
		"42 (x) S ",
		"42 x) S " FIELDS_4_TO_24,
		"x (x) S " FIELDS_4_TO_24,
		"(x) S " FIELDS_4_TO_24,
		"-1 (x) S " FIELDS_4_TO_24,
		"2147483648 (x) S " FIELDS_4_TO_24,
		"99999999999999999999 (x) S " FIELDS_4_TO_24,
		"42 )x( S " FIELDS_4_TO_24,
		"42 (x)S " FIELDS_4_TO_24,
		"42 (x) 1 " FIELDS_4_TO_24,
		"42 (x) \033 " FIELDS_4_TO_24,
		"42 (x) SS " FIELDS_4_TO_24,
		"42 (x) S 17 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1000000",
		"42 (x) S 17 18 19 0 x 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1000000 4711",
		"42 (x) S 2147483648 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1000000 4711",
		"42 (x) S -1 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1000000 4711",
		"42 (x) S 17 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 4294967299 0 987654 1000000 4711",
		"42 (x) S 17 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 -3 0 987654 1000000 4711",
		"42 (x) S 17 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 -5 1000000 4711",
		"42 (x) S 17 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1000000 -4711",
		"42 (x) S 17 18 19 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1000000 18446744073709551616",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct process process = { .pid = 4711 };
		struct error err = { 0 };

		CHECK(texts[i], stat_parse(bytes_of(texts[i]), &process, &err) == -EPROTO);
		CHECK(texts[i], process.pid == 4711);
		CHECK(texts[i], err.code == EPROTO);
		CHECK(texts[i], strncmp(err.text, "stat: ", 6) == 0);
	}
}

/* No byte behind the end is looked at. */
static void test_ends(void **state)
{
	static const char text[] = "42 (x) S " FIELDS_4_TO_24 FIELDS_25_ON;
	size_t least = strlen("42 (x) S " FIELDS_4_TO_24);

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		struct process process = { 0 };
		char *copy = malloc(len ? len : 1);
		int rc;

		memcpy(copy, text, len);
		rc = stat_parse((struct bytes){ copy, len }, &process, NULL);
		/* a number that nothing follows may be cut */
		assert_int_equal(rc, len <= least ? -EPROTO : 0);
		free(copy);
	}
}

static const char status[] = "Name:\tbash\\nUid: 5\n"
			     "Umask:\t0022\n"
			     "Uid:\t1\t2\t3\t4\n"
			     "Groups:\t \n"
			     "NSpid:\t42\t7\n"
			     "VmPeak:\t    9532 kB\n"
			     "VmRSS:\t    4711 kB\n"
			     "VmHuge:\t18014398509481984 kB\n"
			     "VmMost:\t18014398509481983 kB\n"
			     "VmOver:\t18446744073709551616 kB\n"
			     "Threads:\t3\n"
			     "HugetlbPages:\t       0 kB\n"
			     "Word:\tyes\n"
			     "Empty:\n"
			     "NoColon 5\n"
			     "VmRSS:\t       1 kB\n"
			     "Last:\t9";

static void test_status_find(void **state)
{
	static const struct {
		const char *key, *value;
	} cases[] = {
		{ "Name", "bash\\nUid: 5" },
		{ "Uid", "1\t2\t3\t4" },
		{ "Groups", "" },
		{ "VmRSS", "4711 kB" },
		{ "Threads", "3" },
		{ "Empty", "" },
		{ "Last", "9" },
		{ "Vm", NULL },
		{ "RSS", NULL },
		{ "NoColon", NULL },
		{ "", NULL },
		{ "Uid:", NULL },
		{ "name", NULL },
		{ "Lastly", NULL },
	};
	struct bytes value;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool found = status_find(BYTES(status), cases[i].key, &value);

		CHECK(cases[i].key, found == !!cases[i].value);
		if (found)
			check_bytes(cases[i].key, value, bytes_of(cases[i].value));
	}
	assert_false(status_find(BYTES(""), "Uid", &value));
	assert_false(status_find((struct bytes){ NULL, 0 }, "Uid", &value));
	assert_false(status_find(BYTES("Uid"), "Uid", &value));
	assert_true(status_find(BYTES("Uid:"), "Uid", &value));
	assert_int_equal(value.len, 0);
	assert_true(status_find(BYTES("\n\nUid: 7\n"), "Uid", &value));
}

static void test_status_numbers(void **state)
{
	static const struct {
		const char *key;
		unsigned n;
		bool ok;
		uint64_t number;
	} cases[] = {
		{ "VmRSS", 0, true, 4711 * 1024 },
		{ "VmRSS", 1, false, 0 },
		{ "Threads", 0, true, 3 },
		{ "Uid", 0, true, 1 },
		{ "Uid", 1, true, 2 },
		{ "Uid", 3, true, 4 },
		{ "Uid", 4, false, 0 },
		{ "NSpid", 1, true, 7 },
		{ "VmMost", 0, true, UINT64_MAX - 1023 },
		{ "VmHuge", 0, false, 0 },
		{ "VmOver", 0, false, 0 },
		{ "Word", 0, false, 0 },
		{ "Groups", 0, false, 0 },
		{ "Empty", 0, false, 0 },
		{ "Last", 0, true, 9 },
		{ "Nothing", 0, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t number = 4711;

		CHECK(cases[i].key,
		      status_nth(BYTES(status), cases[i].key, cases[i].n, &number) == cases[i].ok);
		CHECK(cases[i].key, number == (cases[i].ok ? cases[i].number : 4711));
		if (cases[i].n)
			continue;
		number = 4711;
		CHECK(cases[i].key,
		      status_u64(BYTES(status), cases[i].key, &number) == cases[i].ok);
		CHECK(cases[i].key, number == (cases[i].ok ? cases[i].number : 4711));
	}
}

/* "5 MB" or "5x" are not 5; what ends in the middle of its unit is not 5 bytes. */
static void test_status_units(void **state)
{
	static const char *const texts[] = { "K: 5 MB\n", "K: 5x\n",  "K: 5 k\n",
					     "K: 5 k",	  "K: 0x5\n", "K: 5,\n" };
	uint64_t number = 4711;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		CHECK(texts[i], !status_u64(bytes_of(texts[i]), "K", &number));
	assert_int_equal(number, 4711);
	assert_true(status_u64(BYTES("K: 5 kB"), "K", &number));
	assert_int_equal(number, 5120);
	assert_true(status_u64(BYTES("K:5\n"), "K", &number));
	assert_int_equal(number, 5);
	assert_true(status_u64(BYTES("K: 5 6\n"), "K", &number));
	assert_int_equal(number, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),     cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_short),	     cmocka_unit_test(test_names),
		cmocka_unit_test(test_malformed),    cmocka_unit_test(test_ends),
		cmocka_unit_test(test_status_find),  cmocka_unit_test(test_status_numbers),
		cmocka_unit_test(test_status_units),
	};

	return cmocka_run_group_tests_name("taskstat", tests, NULL, NULL);
}
