/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/own_caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* A set as /proc/self/status has it: "CapEff:\t000001fffeffffff". */
static uint64_t status_set(const char *key)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long set = UINT64_MAX;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			set = strtoull(line + strlen(key), NULL, 16);
	fclose(file);
	return set;
}

static void test_get(void **state)
{
	struct own_caps caps;

	(void)state;
	assert_int_equal(own_caps_get(&caps), 0);
	assert_int_equal(caps.effective, status_set("CapEff:\t"));
	assert_int_equal(caps.permitted, status_set("CapPrm:\t"));
	assert_int_equal(caps.inheritable, status_set("CapInh:\t"));
	assert_int_equal(own_caps_any(&caps),
			 (caps.effective | caps.permitted | caps.inheritable) != 0);
}

/* In a child: 0 where all is as it should be, else a number that says what is not. */
static int give_up(void)
{
	const struct own_caps none = { 0 };
	struct own_caps before, some, after;

	if (own_caps_get(&before))
		return 1;
	some = (struct own_caps){ .permitted = before.permitted &
					       ~OWN_CAP(CAP_CHECKPOINT_RESTORE) };
	some.effective = some.permitted & OWN_CAP(CAP_SYS_PTRACE);
	if (own_caps_set(&some) || status_set("CapPrm:\t") != some.permitted ||
	    status_set("CapEff:\t") != some.effective || status_set("CapInh:\t") != 0)
		return 2;
	/* what is given up does not come back */
	if (before.permitted != some.permitted && own_caps_set(&before) != -EPERM)
		return 3;
	if (own_caps_set(&none) || own_caps_get(&after) || own_caps_any(&after) ||
	    status_set("CapPrm:\t") != 0)
		return 4;
	return 0;
}

static void test_set(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(give_up());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests_name("own_caps", tests, NULL, NULL);
}
