/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/missing.h"

#include <string.h>

const char *missing_find(const struct missing *missing, const char *key)
{
	for (size_t i = 0; i < missing->count; i++)
		if (strcmp(missing->items[i].key, key) == 0)
			return missing->items[i].reason;
	return NULL;
}

void missing_add(struct missing *missing, const char *key, const char *reason)
{
	if (!missing_find(missing, key))
		missing_add_new(missing, key, reason);
}

void missing_add_new(struct missing *missing, const char *key, const char *reason)
{
	if (missing->count == MISSING_MAX) {
		missing->more++;
		return;
	}
	missing->items[missing->count++] = (struct missing_item){ key, reason };
}

void missing_drop(struct missing *missing, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < missing->count; i++)
		if (strcmp(missing->items[i].key, key) != 0)
			missing->items[kept++] = missing->items[i];
	missing->count = kept;
}
