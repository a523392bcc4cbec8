/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_LIST_H
#define VMVIEW_BASE_LIST_H

#include <stddef.h>

/*
 * qsort(3) for what is mostly in order already: then it costs one pass and no memory. list may be NULL
 * where count is 0.
 */
void list_sort(void *list, size_t count, size_t size,
	       int (*compare)(const void *one, const void *other));

#endif
