/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_CGROUP_GROUP_TEXT_H
#define VMVIEW_CMD_CGROUP_GROUP_TEXT_H

#include "analysis/charge.h"

struct group;

/* What people read of a group beside its tables. */
void group_title(struct group *group);
void group_answer(struct group *group);

/* Why the accounts of a class differ; "" where they do not, or where nothing is to be said. */
const char *group_why(struct group *group, enum charge_class class);

#endif
