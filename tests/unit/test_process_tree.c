/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/process_tree.h"

#include "unit.h"

enum { MOST = 10 };

/* pid, ppid, and the pid of the top that is expected; in any order. */
static const struct {
	const char *name;
	int list[MOST][3];
} cases[] = {
	{ "init alone", { { 1, 0, 1 } } },
	{ "init's children are the tops",
	  {
		  { 1, 0, 1 },
		  { 10, 1, 10 },
		  { 20, 1, 20 },
		  { 11, 10, 10 },
		  { 12, 11, 10 },
		  { 21, 20, 20 },
	  } },
	{ "one tree is split at its root",
	  {
		  { 10, 5, 10 },
		  { 11, 10, 11 },
		  { 12, 11, 11 },
		  { 13, 10, 13 },
	  } },
	{ "several roots stay",
	  {
		  { 10, 5, 10 },
		  { 11, 10, 10 },
		  { 20, 6, 20 },
		  { 21, 20, 20 },
	  } },
	{ "init is split among others",
	  {
		  { 1, 0, 1 },
		  { 30, 0, 30 },
		  { 31, 30, 30 },
		  { 2, 1, 2 },
		  { 3, 2, 2 },
	  } },
	{ "children with lower pids",
	  {
		  { 3, 9, 9 },
		  { 9, 1, 9 },
		  { 1, 0, 1 },
		  { 2, 3, 9 },
	  } },
	{ "a circle", { { 10, 11, 10 }, { 11, 10, 11 }, { 20, 5, 20 } } },
	{ "its own parent", { { 10, 10, 10 }, { 11, 10, 11 } } },
	{ "nobody", { { 0 } } },
};

static int pid_of_top(const struct tree_process *list, size_t i)
{
	return list[list[i].top].pid;
}

static void test_tops(void **state)
{
	struct tree_process list[MOST];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t count = 0;

		for (; count < MOST && cases[i].list[count][0]; count++)
			list[count] = (struct tree_process){ cases[i].list[count][0],
							     cases[i].list[count][1], 99 };
		process_tree_tops(list, count);
		for (size_t k = 0; k < count; k++)
			CHECK(cases[i].name, pid_of_top(list, k) == cases[i].list[k][2]);
	}
}

/* A chain as long as there are processes takes no time worth mentioning. */
static void test_chain(void **state)
{
	enum { LONG = 4000 };
	static struct tree_process list[LONG];

	(void)state;
	for (int i = 0; i < LONG; i++)
		list[i] = (struct tree_process){ i + 1, i, 0 };
	process_tree_tops(list, LONG);
	assert_int_equal(pid_of_top(list, 0), 1);
	assert_int_equal(pid_of_top(list, 1), 2);
	assert_int_equal(pid_of_top(list, LONG - 1), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tops),
		cmocka_unit_test(test_chain),
	};

	return cmocka_run_group_tests_name("process_tree", tests, NULL, NULL);
}
