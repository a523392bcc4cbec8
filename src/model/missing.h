/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_MISSING_H
#define VMVIEW_MODEL_MISSING_H

#include <stddef.h>

/*
 * What an object could not be given, and why: the "missing" object of JSON, and the notes on stderr.
 * Keys and reasons are literals or live as long as the snapshot that holds the list. A key is listed
 * once, with the first reason; what does not fit MISSING_MAX, more than any table has columns, is
 * counted in more.
 */
enum { MISSING_MAX = 128 };

struct missing {
	size_t count, more;
	struct missing_item {
		const char *key, *reason;
	} items[MISSING_MAX];
};

void missing_add(struct missing *missing, const char *key, const char *reason);

/* The same for a key that cannot be there yet. */
void missing_add_new(struct missing *missing, const char *key, const char *reason);

/* The key is not missing after all. */
void missing_drop(struct missing *missing, const char *key);

/* The reason for key, or NULL. */
const char *missing_find(const struct missing *missing, const char *key);

#endif
