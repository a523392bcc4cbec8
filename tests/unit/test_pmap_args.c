/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdlib.h>

#include "base/error.h"
#include "cmd/pmap/args.h"
#include "cmd/pmap/pmap.h"

enum { ARGS = 6 };

static int count_args(const char *const *args)
{
	int count = 0;

	while (count < ARGS && args[count])
		count++;
	return count;
}

/* argv of a table is const, that of getopt is not. */
static void fill_argv(char **argv, const char *const *args, int argc)
{
	for (int i = 0; i < argc; i++) {
		argv[i] = strdup(args[i]);
		assert_non_null(argv[i]);
	}
	argv[argc] = NULL;
}

static void free_argv(char **argv, int argc)
{
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

static const struct wants_case {
	const char *args[ARGS];
	bool wants;
} wants_cases[] = {
	{ { "vmview" }, false },
	{ { "vmview", "1" }, false },
	{ { "vmview", "-x", "1" }, true },
	{ { "vmview", "1", "-d" }, true },
	{ { "map", "-qX", "1" }, true },
	{ { "map", "--extended", "1" }, true },
	{ { "map", "--ext", "1" }, true },
	{ { "map", "-A", "1,2", "1" }, true },
	{ { "map", "-C", "rc" }, true },
	{ { "map", "-N", "rc" }, true },
	{ { "map", "-n" }, true },
	{ { "map", "-r", "1" }, true },
	{ { "map", "-k", "1" }, true },
	{ { "map", "--nothing", "-p", "1" }, true },
	{ { "map", "-Z", "-p", "1" }, true },
	{ { "map", "-h" }, false },
	{ { "map", "-V" }, false },
	{ { "map", "--json", "1" }, false },
	{ { "map", "-o", "-x", "1" }, false },
	{ { "map", "-oxXp", "1" }, false },
	{ { "map", "--sort", "-pss", "1" }, false },
	{ { "map", "--sort=-pss", "1" }, false },
	{ { "map", "--root", "-d", "1" }, false },
	{ { "map", "--name", "-x" }, false },
	{ { "map", "--", "-x" }, false },
	{ { "map", "--total", "1" }, false },
};

static void wants(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wants_cases); i++) {
		const struct wants_case *c = &wants_cases[i];
		int argc = count_args(c->args);
		char *argv[ARGS + 1], *before[ARGS + 1];

		fill_argv(argv, c->args, argc);
		memcpy(before, argv, sizeof(argv));
		CHECK(c->args[argc > 1 ? 1 : 0], pmap_wants(argc, argv) == c->wants);
		CHECK("order", memcmp(before, argv, (size_t)argc * sizeof(argv[0])) == 0);
		free_argv(argv, argc);
	}
}

static void called_pmap(void **state)
{
	(void)state;
	assert_true(pmap_is_name("pmap"));
	assert_true(pmap_is_name("/usr/bin/pmap"));
	assert_false(pmap_is_name("pmap/vmview"));
	assert_false(pmap_is_name("xpmap"));
	assert_false(pmap_is_name(""));
	assert_false(pmap_is_name(NULL));
}

static const struct style_case {
	const char *name;
	struct pmap_given given;
	int pids;
	enum pmap_format format;
	enum pmap_choice choice;
	const char *error;
} style_cases[] = {
	/* clang-format off */
	{ "plain", { 0 }, 1, PMAP_PLAIN, PMAP_MAIN, NULL },
	{ "-x", { .extended = true }, 1, PMAP_EXTENDED, PMAP_MAIN, NULL },
	{ "-d", { .device = true }, 2, PMAP_DEVICE, PMAP_MAIN, NULL },
	{ "-X", { .fields = 1 }, 1, PMAP_FIELDS, PMAP_MAIN, NULL },
	{ "-XX", { .fields = 2 }, 1, PMAP_FIELDS, PMAP_ALL, NULL },
	{ "-XXX", { .fields = 3 }, 1, PMAP_FIELDS, PMAP_ALL, NULL },
	{ "-c", { .read_rc = true }, 1, PMAP_FIELDS, PMAP_LISTED, NULL },
	{ "-C", { .rc_from = "x" }, 1, PMAP_FIELDS, PMAP_LISTED, NULL },
	{ "-n", { .create_rc = true }, 0, PMAP_PLAIN, PMAP_MAIN, NULL },
	{ "-n PID", { .create_rc = true }, 1, 0, 0, "too many arguments" },
	{ "-N PID", { .rc_to = "x" }, 1, 0, 0, "too many arguments" },
	{ "no PID", { .extended = true }, 0, 0, 0, "argument missing" },
	{ "-x -d", { .extended = true, .device = true }, 1, 0, 0,
	  "options -c, -C, -d, -n, -N, -x, -X are mutually exclusive" },
	{ "-X -c", { .fields = 1, .read_rc = true }, 1, 0, 0,
	  "options -c, -C, -d, -n, -N, -x, -X are mutually exclusive" },
	{ "-c -C", { .read_rc = true, .rc_from = "x" }, 1, 0, 0,
	  "options -c, -C, -d, -n, -N, -x, -X are mutually exclusive" },
	{ "-n -q", { .create_rc = true, .quiet = true }, 0, 0, 0,
	  "options -p, -q are mutually exclusive with -n, -N" },
	{ "-N -p", { .rc_to = "x", .path = true }, 0, 0, 0,
	  "options -p, -q are mutually exclusive with -n, -N" },
	{ "-A zz", { .range = "zz" }, 1, 0, 0, "failed to parse argument: 'zz'" },
	/* clang-format on */
};

static void check_style(const struct style_case *c)
{
	struct pmap_style style;
	struct error err = { 0 };
	int rc = pmap_style_from(&c->given, c->pids, &style, &err);

	CHECK(c->name, (rc < 0) == (c->error != NULL));
	if (c->error) {
		check_bytes(c->name, bytes_of(err.text), bytes_of(c->error));
		return;
	}
	CHECK(c->name, style.format == c->format);
	CHECK(c->name, style.choice == c->choice);
	CHECK(c->name, style.low == 0 && style.high == UINT64_MAX);
}

static void styles(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(style_cases); i++)
		check_style(&style_cases[i]);
}

static const struct range_case {
	const char *text;
	bool ok;
	uint64_t low, high;
} range_cases[] = {
	{ "1000", true, 0x1000, 0x1000 },
	{ "1000,2fff", true, 0x1000, 0x2fff },
	{ "0x1000,0X2FFF", true, 0x1000, 0x2fff },
	{ "1000,", true, 0x1000, UINT64_MAX },
	{ ",1000", true, 0, 0x1000 },
	{ ",", true, 0, UINT64_MAX },
	{ "", true, 0, UINT64_MAX },
	{ "ffffffffffffffff", true, UINT64_MAX, UINT64_MAX },
	{ "10000000000000000", false, 0, 0 },
	{ "1,2,3", false, 0, 0 },
	{ "-1", false, 0, 0 },
	{ "1-2", false, 0, 0 },
	{ " 1", false, 0, 0 },
	{ "0x", false, 0, 0 },
	{ "g", false, 0, 0 },
	{ "1,g", false, 0, 0 },
	{ "0000000000000000000000000000000000000001", false, 0, 0 },
};

static void ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(range_cases); i++) {
		const struct range_case *c = &range_cases[i];
		struct pmap_given given = { .range = c->text };
		struct pmap_style style;
		struct error err;
		int rc = pmap_style_from(&given, 1, &style, &err);

		CHECK(c->text, (rc == 0) == c->ok);
		if (c->ok)
			CHECK(c->text, style.low == c->low && style.high == c->high);
	}
}

static const struct pid_case {
	const char *text;
	bool ok;
	int pid;
} pid_cases[] = {
	{ "1", true, 1 },
	{ "0x7b", true, 123 },
	{ "0173", true, 123 },
	{ "/proc/123", true, 123 },
	{ "/proc/0x7b", true, 123 },
	{ "/proc/self", true, 0 },
	{ "/proc/", true, 0 },
	{ "2147483647", true, 2147483647 },
	{ "2147483648", false, 0 },
	{ "99999999999999999999", false, 0 },
	{ "0", false, 0 },
	{ "", false, 0 },
	{ "-1", false, 0 },
	{ "+1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "08", false, 0 },
	{ "/proc/1/", false, 0 },
	{ "/proc/1/maps", false, 0 },
	{ "proc/1", false, 0 },
	{ "self", false, 0 },
};

static void pids(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pid_cases); i++) {
		const struct pid_case *c = &pid_cases[i];
		int pid = -1;

		CHECK(c->text, pmap_parse_pid(c->text, &pid) == c->ok);
		CHECK(c->text, pid == c->pid);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wants),  cmocka_unit_test(called_pmap), cmocka_unit_test(styles),
		cmocka_unit_test(ranges), cmocka_unit_test(pids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
