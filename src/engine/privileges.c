/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/privileges.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/* Permitted and effective capabilities. libcap-ng would read status twice, a twentieth of a short run. */
struct capabilities {
	uint64_t permitted, effective;
};

static struct capabilities own_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data))
		return (struct capabilities){ UINT64_MAX, UINT64_MAX };
	return (struct capabilities){
		(uint64_t)data[1].permitted << 32 | data[0].permitted,
		(uint64_t)data[1].effective << 32 | data[0].effective,
	};
}

static void keep(const unsigned *list, size_t count, uint64_t have, unsigned sets)
{
	for (size_t i = 0; i < count; i++)
		if (have >> list[i] & 1)
			capng_update(CAPNG_ADD, (capng_type_t)sets, list[i]);
}

static void drop_capabilities(const struct privileges *wanted)
{
	const struct capabilities have = own_capabilities();

	capng_clear(CAPNG_SELECT_ALL);
	if (!have.permitted)
		return;
	keep(kept, KEPT, have.effective, CAPNG_EFFECTIVE | CAPNG_PERMITTED);
	if (wanted->asks_cache)
		keep((const unsigned[]){ CAP_FOWNER }, 1, have.effective,
		     CAPNG_EFFECTIVE | CAPNG_PERMITTED);
	if (wanted->parses)
		keep(to_confine, 2, have.permitted, CAPNG_PERMITTED);
	if (wanted->traces)
		keep((const unsigned[]){ CAP_SYSLOG }, 1, have.effective,
		     CAPNG_EFFECTIVE | CAPNG_PERMITTED);
	if (wanted->clears)
		keep((const unsigned[]){ CAP_DAC_OVERRIDE }, 1, have.permitted, CAPNG_PERMITTED);
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

void privileges_drop(const struct privileges *wanted)
{
	if (getauxval(AT_SECURE)) {
		error_note("not made to run set-uid or with file capabilities");
		_exit(2);
	}
	hold_standard_descriptors();
	syscall(SYS_close_range, 3, ~0u, 0);
	drop_capabilities(wanted);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	umask(077);
}

void privileges_settle(void)
{
	/* libcap-ng knows what is left since privileges_drop() */
	capng_updatev(CAPNG_DROP, CAPNG_PERMITTED, CAP_SETUID, CAP_SETGID, CAP_DAC_OVERRIDE, -1);
	if (capng_apply(CAPNG_SELECT_CAPS))
		error_note("capabilities could not be dropped");
}

void privileges_override(bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const uint32_t bit = 1u << CAP_DAC_OVERRIDE;

	if (syscall(SYS_capget, &head, data))
		return;
	data[0].effective &= ~bit;
	if (on)
		data[0].effective |= data[0].permitted & bit;
	syscall(SYS_capset, &head, data);
}
