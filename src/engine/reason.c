/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/reason.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/context.h"

const char reason_needs_rights[] = "denied: needs CAP_SYS_PTRACE or the same user";
const char reason_needs_pagemap[] = "denied: needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, "
				    "or the same user";
const char reason_memory_gone[] = "gone: the memory went away while it was read";
const char reason_changed[] = "changed while they were read";
const char reason_not_asked[] = "not asked";
const char reason_budget[] = "budget: the time was spent";

struct absence reason_of(const struct root *root, int rc)
{
	switch (rc < 0 ? -rc : rc) {
	case 0:
		return (struct absence){ ABSENT_NOT, NULL };
	case EACCES:
	case EPERM:
		return (struct absence){ ABSENT_DENIED, reason_needs_rights };
	case ENOENT:
		if (root->recorded)
			return (struct absence){ ABSENT_NOT_RECORDED, "not recorded" };
		return (struct absence){ ABSENT_GONE, error_reason(rc) };
	case ESRCH:
		return (struct absence){ ABSENT_GONE, error_reason(rc) };
	case EAGAIN:
		return (struct absence){ ABSENT_GONE, reason_memory_gone };
	case EPROTO:
		return (struct absence){ ABSENT_MALFORMED, "malformed" };
	case EOVERFLOW:
		return (struct absence){ ABSENT_OVERFLOW, "overflow: it does not fit" };
	case ENOTTY:
	case EINVAL:
	case ENOSYS:
	case EOPNOTSUPP:
		return (struct absence){ ABSENT_UNSUPPORTED, error_reason(rc) };
	default:
		return (struct absence){ ABSENT_FAILED, error_reason(rc) };
	}
}

bool reason_sudo_helps(const struct context *context)
{
	return !context->root.recorded && geteuid() != 0;
}

void reason_advise(const struct context *context, struct error *err, const char *command, int pid)
{
	struct error told = *err;

	if (!reason_sudo_helps(context))
		return;
	if (pid)
		error_set(err, told.code, "%s (try: sudo vmview %s%s%d)", told.text, command,
			  *command ? " " : "", pid);
	else
		error_set(err, told.code, "%s (try: sudo vmview %s)", told.text, command);
}
