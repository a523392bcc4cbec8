/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_UNIT_H
#define VMVIEW_ANALYSIS_UNIT_H

#include "base/bytes.h"

/* What a process belongs to that can be started again, as the names of control groups tell. */
enum unit_kind {
	UNIT_NONE,	/* nothing that systemd(1) made: start the program again by hand */
	UNIT_SERVICE,	/* systemctl restart UNIT */
	UNIT_USER,	/* a service of a user: systemctl --user restart UNIT */
	UNIT_SESSION,	/* somebody's login: log in again */
	UNIT_CONTAINER,	/* restart the container */
	UNIT_INIT,	/* systemctl daemon-reexec */
	UNIT_KINDS,
};

extern const char *const unit_kind_names[UNIT_KINDS];

/* What to do about one, in words. */
extern const char *const unit_advice[UNIT_KINDS];

/*
 * The unit in the path of a control group: the last part of it that is a service, scope or container.
 * It points into cgroup; len 0 where there is none.
 */
struct bytes unit_of_cgroup(struct bytes cgroup, enum unit_kind *kind);

#endif
