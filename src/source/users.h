/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_USERS_H
#define VMVIEW_SOURCE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct root;

/*
 * The names of users, for commands that list many processes: from etc/passwd, read once, and of those
 * that are not in it, live, from the C library (getpwuid(3)), which may ask a directory service.
 */
struct users {
	const struct root *root;
	struct arena *arena;
	struct user_name {
		uint32_t uid;
		struct bytes name;	/* empty: has none */
	} * list;
	size_t count, cap;
};

/* root and arena must outlive users; names live in the arena. */
void users_init(struct users *users, const struct root *root, struct arena *arena);
void users_fini(struct users *users);

/* The name, or none (len 0). */
struct bytes users_name(struct users *users, uint32_t uid);

/* Whether the live system knows a user of this name (getpwnam(3)). */
bool users_know(const char *name);

/*
 * Take the users of the text of a passwd(5) file, which must outlive users; pure, once and first. Of
 * several lines with the same number the first counts.
 */
void users_parse(struct users *users, struct bytes text);

#endif
