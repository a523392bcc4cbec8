/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/memcg.h"

const char memcg_unlimited[] = "none: no limit";

const char *const memcg_event_names[MEMCG_EVENTS] = {
	[MEMCG_EVENT_LOW] = "low",	     [MEMCG_EVENT_HIGH] = "high",
	[MEMCG_EVENT_MAX] = "max",	     [MEMCG_EVENT_OOM] = "oom",
	[MEMCG_EVENT_OOM_KILL] = "oom_kill", [MEMCG_EVENT_OOM_GROUP_KILL] = "oom_group_kill",
};
