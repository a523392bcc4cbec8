/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_CGROUP_NAME_H
#define VMVIEW_ANALYSIS_CGROUP_NAME_H

#include <stdbool.h>

#include "base/bytes.h"

struct arena;

/*
 * What people call a cgroup, from the last part of its path: units of systemd as they are, containers by
 * their engine and the first twelve digits of their id ("docker 3f2a9c1b7d04"), pods of Kubernetes by
 * their class and the first part of theirs ("pod burstable 9a3e16ca"). Else that part of the path.
 */
struct bytes cgroup_name(struct bytes path, struct arena *arena);

/* The id of a container in the last part of a path: 64 (or 32) hex digits; len 0: there is none. */
struct bytes cgroup_container(struct bytes path);

/* Whether a path is another, or below it. */
bool cgroup_is_below(struct bytes path, struct bytes above);

/* How many groups are above it: 0 of "/". */
unsigned cgroup_depth(struct bytes path);

#endif
