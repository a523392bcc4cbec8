/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "source/own_caps.h"

static const uint64_t kept = OWN_CAP(CAP_SYS_PTRACE) | OWN_CAP(CAP_DAC_READ_SEARCH) |
			     OWN_CAP(CAP_SYS_ADMIN) | OWN_CAP(CAP_PERFMON) |
			     OWN_CAP(CAP_CHECKPOINT_RESTORE);

/* What a child needs to become nobody; we ourselves never use it, so it is not in effect. */
static const uint64_t to_confine = OWN_CAP(CAP_SETUID) | OWN_CAP(CAP_SETGID);

static void drop_capabilities(bool parses)
{
	struct own_caps have = { 0 }, left = { 0 };
	int rc = own_caps_get(&have);

	if (rc == 0 && !own_caps_any(&have))
		return;
	left.effective = left.permitted = have.effective & kept;
	if (parses)
		left.permitted |= have.permitted & to_confine;
	/* without CAP_SETPCAP the bounding set stays; what exec could gain, no_new_privs forbids */
	if (rc || own_caps_set(&left))
		error_note("capabilities could not be dropped");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* A closed standard descriptor would be given to the first file we open. */
static void hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			_exit(1);
}

void privileges_drop(bool parses)
{
	if (getauxval(AT_SECURE)) {
		error_note("not made to run set-uid or with file capabilities");
		_exit(2);
	}
	hold_standard_descriptors();
	syscall(SYS_close_range, 3, ~0u, 0);
	drop_capabilities(parses);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	umask(077);
}

void privileges_settle(void)
{
	drop_capabilities(false);
}
