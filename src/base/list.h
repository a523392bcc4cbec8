/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_LIST_H
#define VMVIEW_BASE_LIST_H

#include <stddef.h>
#include <stdint.h>

/*
 * qsort(3) for what is mostly in order already: then it costs one pass and no memory. list may be NULL
 * where count is 0.
 */
void list_sort(void *list, size_t count, size_t size,
	       int (*compare)(const void *one, const void *other));

/*
 * Sort numbers; takes as much memory again where they are not in order. Unlike qsort(3) it asks the system
 * for nothing else, so that a confined process may use it.
 */
void list_sort_u64(uint64_t *list, size_t count);

#endif
