/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/privileges.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"

static const unsigned kept[] = {
	CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_PERFMON, CAP_CHECKPOINT_RESTORE,
};

enum { KEPT = ARRAY_SIZE(kept) };

/* What a child needs to become nobody; we ourselves never use it, so it is not in effect. */
static const unsigned to_confine[] = { CAP_SETUID, CAP_SETGID };

static void keep(const unsigned *list, const bool *have, size_t count, unsigned sets)
{
	for (size_t i = 0; i < count; i++)
		if (have[i])
			capng_update(CAPNG_ADD, (capng_type_t)sets, list[i]);
}

static void drop_capabilities(bool parses)
{
	bool have[KEPT], may_confine[2];

	capng_get_caps_process();
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE)
		return;
	for (size_t i = 0; i < KEPT; i++)
		have[i] = capng_have_capability(CAPNG_EFFECTIVE, kept[i]);
	for (size_t i = 0; i < 2; i++)
		may_confine[i] = parses && capng_have_capability(CAPNG_PERMITTED, to_confine[i]);
	capng_clear(CAPNG_SELECT_ALL);
	keep(kept, have, KEPT, CAPNG_EFFECTIVE | CAPNG_PERMITTED);
	keep(to_confine, may_confine, 2, CAPNG_PERMITTED);
	/* without CAP_SETPCAP the bounding set stays; what exec could gain, no_new_privs forbids */
	if (capng_apply(CAPNG_SELECT_CAPS))
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
	/* libcap-ng knows what is left since privileges_drop() */
	capng_updatev(CAPNG_DROP, CAPNG_PERMITTED, CAP_SETUID, CAP_SETGID, -1);
	if (capng_apply(CAPNG_SELECT_CAPS))
		error_note("capabilities could not be dropped");
}
