/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

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

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* One pass of a radix sort. False where all have the same digit, so that nothing was done. */
static bool sort_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
	size_t starts[DIGITS] = { 0 }, sum = 0;

	for (size_t i = 0; i < count; i++)
		starts[from[i] >> shift & (DIGITS - 1)]++;
	if (starts[from[0] >> shift & (DIGITS - 1)] == count)
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		size_t here = starts[i];

		starts[i] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

void list_sort_u64(uint64_t *list, size_t count)
{
	uint64_t *other, *from = list, *to;
	size_t ordered = 1;

	while (ordered < count && list[ordered - 1] <= list[ordered])
		ordered++;
	if (ordered >= count)
		return;
	to = other = mem_alloc(count * sizeof(*list));
	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS)
		if (sort_digit(from, to, count, shift)) {
			uint64_t *sorted = to;

			to = from;
			from = sorted;
		}
	if (from != list)
		memcpy(list, from, count * sizeof(*list));
	free(other);
}
