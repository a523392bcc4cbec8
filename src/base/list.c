/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/list.h"

#include <stdlib.h>

void list_sort(void *list, size_t count, size_t size,
	       int (*compare)(const void *one, const void *other))
{
	const char *at = list;

	for (size_t i = 1; i < count; i++, at += size) {
		if (compare(at, at + size) <= 0)
			continue;
		qsort(list, count, size, compare);
		return;
	}
}
