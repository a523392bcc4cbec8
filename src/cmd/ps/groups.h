/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PS_GROUPS_H
#define VMVIEW_CMD_PS_GROUPS_H

#include <stddef.h>

struct arena;
struct error;
struct ps_row;

/* What --by names. */
enum ps_by { PS_BY_NONE, PS_BY_USER, PS_BY_PROGRAM, PS_BY_CGROUP, PS_BY_TREE, PS_BY_COUNT };

extern const char *const ps_by_names[PS_BY_COUNT];

/* enum need: what has to be read for it. */
extern const unsigned ps_by_needs[PS_BY_COUNT];

/* text NULL: PS_BY_NONE. Returns 0 or -EINVAL. */
int ps_by_parse(enum ps_by *by, const char *text, struct error *err);

/* A process that is to be in a group. */
struct ps_member {
	const struct ps_row *row;
	size_t mm;		/* equal for those that share one address space */
	size_t group;		/* out */
};

/* The sums, in the order of what the groups have in common; *out lives in arena. */
void ps_groups_make(enum ps_by by, struct ps_member *members, size_t count, struct arena *arena,
		    struct ps_row **out, size_t *groups);

#endif
