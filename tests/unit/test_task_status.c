/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/task_status.h"

#include "unit.h"

static const char ordinary[] = "Name:\tnginx\n"
			       "Umask:\t0022\n"
			       "State:\tS (sleeping)\n"
			       "Tgid:\t100\n"
			       "Pid:\t100\n"
			       "PPid:\t1\n"
			       "TracerPid:\t7\n"
			       "Uid:\t0\t33\t34\t35\n"
			       "Gid:\t1\t2\t3\t4\n"
			       "Kthread:\t0\n"
			       "VmPeak:\t   12100 kB\n"
			       "VmSize:\t   12000 kB\n"
			       "VmLck:\t      64 kB\n"
			       "VmPin:\t       8 kB\n"
			       "VmHWM:\t    4120 kB\n"
			       "VmRSS:\t    4112 kB\n"
			       "RssAnon:\t    2400 kB\n"
			       "RssFile:\t    1200 kB\n"
			       "RssShmem:\t     512 kB\n"
			       "VmData:\t     999 kB\n"
			       "VmPTE:\t      52 kB\n"
			       "VmSwap:\t      96 kB\n"
			       "HugetlbPages:\t    2048 kB\n"
			       "Threads:\t3\n"
			       "SigQ:\t0/95000\n";

static void test_ordinary(void **state)
{
	static const struct {
		enum status_field field;
		uint64_t value;
	} want[] = {
		{ STATUS_PID, 100 },
		{ STATUS_PPID, 1 },
		{ STATUS_UID, 33 },
		{ STATUS_KTHREAD, 0 },
		{ STATUS_VM_PEAK, 12100 * 1024 },
		{ STATUS_VM_SIZE, 12000 * 1024 },
		{ STATUS_VM_LOCKED, 64 * 1024 },
		{ STATUS_VM_PINNED, 8 * 1024 },
		{ STATUS_VM_PEAK_RSS, 4120 * 1024 },
		{ STATUS_VM_RSS, 4112 * 1024 },
		{ STATUS_RSS_ANON, 2400 * 1024 },
		{ STATUS_RSS_FILE, 1200 * 1024 },
		{ STATUS_RSS_SHMEM, 512 * 1024 },
		{ STATUS_VM_PTE, 52 * 1024 },
		{ STATUS_VM_SWAP, 96 * 1024 },
		{ STATUS_HUGETLB, 2048 * 1024 },
		{ STATUS_THREADS, 3 },
	};
	struct task_status status;

	(void)state;
	task_status_parse(bytes_of(ordinary), &status);
	check_bytes("name", task_status_comm(&status), BYTES("nginx"));
	assert_int_equal(status.state, 'S');
	assert_int_equal(COUNT(want), STATUS_FIELDS);
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_true(task_status_has(&status, want[i].field));
		assert_int_equal(status.field[want[i].field], want[i].value);
	}
	assert_false(task_status_is_kernel(&status));
}

/* The kernel escapes two characters of a name; all others, and a name that looks like a line, stay. */
static void test_names(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "Name:\ta\\nb\\\\c\n", "a\nb\\c" },
		{ "Name:\t\n", "" },
		{ "Name:\tx\\", "x\\" },
		{ "Name:\t\\x\\t\n", "\\x\\t" },
		{ "Name:\tPid:\t7\n", "Pid:\t7" },
		{ "Name:\t \x1b[31m \n", " \x1b[31m " },
		{ "Name: blank\n", "" },
		{ "", "" },
	};
	struct task_status status;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		task_status_parse(bytes_of(cases[i].text), &status);
		check_bytes(cases[i].text, task_status_comm(&status), bytes_of(cases[i].name));
		assert_int_equal(status.have, 0);
	}
}

static void test_long_name(void **state)
{
	char text[400] = "Name:\t";
	struct task_status status;

	(void)state;
	memset(text + 6, 'n', 300);
	task_status_parse(bytes_of(text), &status);
	assert_int_equal(status.comm_len, STATUS_COMM_MAX);
}

/* Numbers that are none, do not fit, or are of another key are not known; 0 is never made up. */
static const struct {
	const char *text;
	int field;	/* the one that is known, -1: none */
	uint64_t value;
	uint32_t over; /* those that do not fit */
} number_cases[] = {
	{ "VmRSS:\t4 kB\n", STATUS_VM_RSS, 4096 },
	{ "VmRSS:\t4 kB", STATUS_VM_RSS, 4096 },
	{ "VmRSS:    4", STATUS_VM_RSS, 4 },
	{ "VmRSS:\t-4 kB\n", -1, 0 },
	{ "VmRSS:\t\n", -1, 0 },
	{ "VmRSS\n", -1, 0 },
	{ "VmRSSx:\t4 kB\n", -1, 0 },
	{ "xVmRSS:\t4 kB\n", -1, 0 },
	{ "VmRSS:\t18446744073709551615 kB\n", -1, 0, 1u << STATUS_VM_RSS },
	{ "VmRSS:\t18014398509481983 kB\n", STATUS_VM_RSS, 18014398509481983u * 1024 },
	{ "Threads:\t99999999999999999999\n", -1, 0, 1u << STATUS_THREADS },
	{ "Uid:\t5\n", -1, 0 },
	{ "Uid:\t5\t6\n", STATUS_UID, 6 },
	{ "\n\nPid:\t9\n\n", STATUS_PID, 9 },
};

static void check_number(size_t i, const struct task_status *status)
{
	int field = number_cases[i].field;

	CHECK(number_cases[i].text, status->have == (field < 0 ? 0 : 1u << field));
	CHECK(number_cases[i].text, field < 0 || status->field[field] == number_cases[i].value);
	CHECK(number_cases[i].text, status->over == number_cases[i].over);
}

static void test_numbers(void **state)
{
	struct task_status status;

	(void)state;
	for (size_t i = 0; i < COUNT(number_cases); i++) {
		task_status_parse(bytes_of(number_cases[i].text), &status);
		check_number(i, &status);
	}
}

static void test_order(void **state)
{
	static const char text[] = "Threads:\t5\nVmSwap:\t1 kB\nVmSize:\t2 kB\nPid:\t3\nName:\tx\n";
	struct task_status status;

	(void)state;
	task_status_parse(bytes_of(text), &status);
	assert_int_equal(status.field[STATUS_THREADS], 5);
	assert_int_equal(status.field[STATUS_VM_SWAP], 1024);
	assert_int_equal(status.field[STATUS_VM_SIZE], 2048);
	/* behind Threads and VmSize nothing is looked at */
	assert_false(task_status_has(&status, STATUS_PID));
}

/* Lines between those that count, those of later kernels too, and a line that comes twice. */
static void test_other_lines(void **state)
{
	static const char text[] =
		"Name:\tx\nUmask:\t0022\nState:\tS (sleeping)\nNovel:\t1\nPid:\t3\n"
		"Name: y\nState: Z\nTracerPid:\t7\nGid:\t8\t9\nPid:\t4\n"
		"VmRSS:\t1 kB\nVmLib:\t2 kB\nVmNew:\t3 kB\nThreads:\t5\n";
	struct task_status status;

	(void)state;
	task_status_parse(bytes_of(text), &status);
	check_bytes("name", task_status_comm(&status), BYTES("x"));
	assert_int_equal(status.state, 'S');
	assert_int_equal(status.field[STATUS_PID], 4);
	assert_int_equal(status.field[STATUS_VM_RSS], 1024);
	assert_int_equal(status.field[STATUS_THREADS], 5);
	assert_int_equal(status.have,
			 1u << STATUS_PID | 1u << STATUS_VM_RSS | 1u << STATUS_THREADS);
}

static void test_kernel_threads(void **state)
{
	static const struct {
		const char *name, *text;
		bool kernel;
	} cases[] = {
		{ "says so", "State:\tI\nKthread:\t1\nThreads:\t1\n", true },
		{ "says not", "State:\tS\nKthread:\t0\nThreads:\t1\n", false },
		{ "older, no memory", "State:\tS\nThreads:\t1\n", true },
		{ "older, memory", "State:\tS\nVmSize:\t4 kB\nThreads:\t1\n", false },
		{ "older, zombie", "State:\tZ\nThreads:\t1\n", false },
		{ "older, dead", "State:\tX\nThreads:\t1\n", false },
		{ "newer, zombie", "State:\tZ\nKthread:\t0\nThreads:\t1\n", false },
	};
	struct task_status status;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		task_status_parse(bytes_of(cases[i].text), &status);
		CHECK(cases[i].name, task_status_is_kernel(&status) == cases[i].kernel);
		CHECK(cases[i].name, task_status_has(&status, STATUS_THREADS));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_name),   cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_order),	    cmocka_unit_test(test_kernel_threads),
		cmocka_unit_test(test_other_lines),
	};

	return cmocka_run_group_tests_name("task_status", tests, NULL, NULL);
}
